-- fires X58_any_tenant_grant lint_app (extension)
SELECT tenancy.grant_access('lint_app', '*');
-- silent X58_any_tenant_grant (extension)
SELECT tenancy.provision('acme');
SELECT tenancy.grant_access('lint_app', 'acme'), tenancy.grant_access('lint_owner', '*');
-- fires X58_test_mode lint_extension (extension)
ALTER DATABASE lint_extension SET tenancy.test_mode = on;
SELECT tenancy.define_store('cache', 'redis');
-- silent X58_test_mode (extension)
ALTER DATABASE lint_extension SET tenancy.test_mode = off;
-- fires X58_stored_context lint_app (extension)
UPDATE pg_db_role_setting SET setconfig = '{tenancy.context=acme}' WHERE false;
INSERT INTO pg_db_role_setting VALUES (0, 'lint_app'::regrole, '{tenancy.context=acme}');
-- silent X58_stored_context (extension)
ALTER ROLE lint_app SET tenancy.on_missing_context = 'empty';
-- silent X58_any_tenant_grant (extension)
SELECT tenancy.grant_access('lint_app', '*');
UPDATE tenancy.access_grant SET valid_until = now() - interval '1 day';
-- silent X58_any_tenant_grant (extension)
SELECT tenancy.grant_access('lint_app', '*');
ALTER ROLE lint_app RENAME TO lint_other; -- the grant counts no longer
-- silent X58_test_mode (extension)
ALTER DATABASE lint_extension SET enable_seqscan = on;
