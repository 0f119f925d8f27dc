-- fires X35_session_grant lint_app (extension)
SELECT tenancy.grant_access('lint_app', '*', session_scope => true);
-- silent X35_session_grant (extension)
SELECT tenancy.grant_access('lint_app', '*');
-- silent X35_session_grant (extension)
SELECT tenancy.grant_access('lint_app', '*', session_scope => true);
UPDATE tenancy.access_grant SET valid_until = now() - interval '1 day';
-- silent X35_session_grant (extension)
SELECT tenancy.grant_access('lint_app', '*', session_scope => true);
ALTER ROLE lint_app RENAME TO lint_other; -- the grant counts no longer
