-- fires X35_session_grant lint_app (extension)
SELECT tenancy.grant_access('lint_app', '*', session_scope => true);
-- silent X35_session_grant (extension)
SELECT tenancy.grant_access('lint_app', '*');
