-- fires C44_createrole lint_manager (server 15.20)
CREATE ROLE lint_manager CREATEROLE;
GRANT lint_manager TO lint_app;
-- silent C44_createrole (server 15.20)
CREATE ROLE lint_manager CREATEROLE; -- nobody logs in as it
-- fires C44_admin_option lint_app
CREATE ROLE lint_report BYPASSRLS;
GRANT lint_report TO lint_app WITH ADMIN OPTION;
-- silent C44_admin_option
CREATE ROLE lint_report;
GRANT lint_report TO lint_app WITH ADMIN OPTION;
-- silent C44_createrole (server 16.1)
ALTER ROLE lint_app CREATEROLE; -- from 16 on it may grant what it has ADMIN OPTION on
-- silent C44_createrole (server 15.20)
CREATE ROLE lint_root LOGIN CREATEROLE SUPERUSER;
-- silent C44_admin_option
CREATE ROLE lint_report BYPASSRLS;
CREATE ROLE lint_root SUPERUSER;
GRANT lint_report TO lint_app;
GRANT lint_report TO lint_root WITH ADMIN OPTION;
-- silent C44_admin_option (extension)
CREATE ROLE lint_report BYPASSRLS;
SELECT tenancy.register_bypass('lint_report', 'reports', now() + interval '1 day');
GRANT lint_report TO lint_app WITH ADMIN OPTION;
