-- fires P54_auto_explain lint_app
ALTER ROLE lint_app SET session_preload_libraries = 'auto_explain';
-- silent P54_auto_explain
ALTER ROLE lint_app SET session_preload_libraries = 'pg_stat_statements';
-- silent P54_auto_explain
ALTER ROLE lint_app SET "app.name" = 'auto_explain';
