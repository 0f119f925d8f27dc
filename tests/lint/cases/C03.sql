-- fires C03_bypass_role lint_report
CREATE ROLE lint_report BYPASSRLS;
GRANT SELECT ON shop.orders TO lint_report;
-- fires C03_bypass_role lint_report
CREATE ROLE lint_report BYPASSRLS;
-- silent C03_bypass_role (extension)
CREATE ROLE lint_report BYPASSRLS;
GRANT SELECT ON shop.orders TO lint_report;
SELECT tenancy.register_bypass('lint_report', 'reports', now() + interval '1 day');
-- silent C03_bypass_role
CREATE ROLE lint_report;
-- fires C03_becomes_bypass_role lint_app
CREATE ROLE lint_step NOINHERIT;
CREATE ROLE lint_report BYPASSRLS;
GRANT lint_report TO lint_step;
GRANT lint_step TO lint_app;
-- silent C03_becomes_bypass_role
CREATE ROLE lint_step;
GRANT lint_step TO lint_app;
-- fires C03_grant_to_unbound_role lint_app (extension)
SELECT tenancy.grant_access('lint_app', '*');
ALTER ROLE lint_app SUPERUSER;
-- silent C03_grant_to_unbound_role (extension)
SELECT tenancy.grant_access('lint_app', '*');
-- fires C03_registration_ended lint_report (extension)
CREATE ROLE lint_report BYPASSRLS;
INSERT INTO tenancy.bypass_role (role_oid, role_name, purpose, valid_until) VALUES ('lint_report'::regrole, 'lint_report', 'reports', now() - interval '1 day');
-- silent C03_registration_ended (extension)
CREATE ROLE lint_report BYPASSRLS;
SELECT tenancy.register_bypass('lint_report', 'reports', now() + interval '1 day');
-- silent C03_becomes_bypass_role (extension)
CREATE ROLE lint_report BYPASSRLS;
GRANT lint_report TO lint_app;
SELECT tenancy.register_bypass('lint_report', 'reports', now() + interval '1 day');
-- silent C03_grant_to_unbound_role (extension)
-- The role was renamed: its grant counts no longer.
SELECT tenancy.grant_access('lint_app', '*');
ALTER ROLE lint_app RENAME TO lint_other;
ALTER ROLE lint_other SUPERUSER;
-- silent C03_registration_ended (extension)
CREATE ROLE lint_report BYPASSRLS;
INSERT INTO tenancy.bypass_role (role_oid, role_name, purpose, valid_until) VALUES ('lint_report'::regrole, 'lint_before', 'reports', now() - interval '1 day');
-- silent C03_becomes_bypass_role
-- From 16 on a membership may be one that nobody takes on.
CREATE ROLE lint_report BYPASSRLS;
DO $$
BEGIN
    IF current_setting('server_version_num')::integer >= 160000 THEN
        EXECUTE 'GRANT lint_report TO lint_app WITH SET FALSE';
    END IF;
END
$$;
