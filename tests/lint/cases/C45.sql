-- fires C45_not_preloaded lint_app (session)
ALTER ROLE lint_app SET session_preload_libraries = 'auto_explain';
-- fires C45_not_preloaded lint_app (session)
ALTER ROLE lint_app IN DATABASE lint_session SET session_preload_libraries = '';
-- silent C45_not_preloaded (session)
ALTER ROLE lint_app SET session_preload_libraries = 'auto_explain', 'tenancy';
-- silent C45_not_preloaded (extension)
ALTER ROLE lint_app SET session_preload_libraries = 'auto_explain'; -- shared_preload_libraries has it
-- silent C45_not_preloaded (session)
ALTER DATABASE lint_session RESET session_preload_libraries; -- postgresql.conf has it
