-- fires C44_createrole lint_manager
CREATE ROLE lint_manager CREATEROLE;
GRANT lint_manager TO lint_app;
-- silent C44_createrole
CREATE ROLE lint_manager CREATEROLE; -- nobody logs in as it
-- fires C44_admin_option lint_app
CREATE ROLE lint_report BYPASSRLS;
GRANT lint_report TO lint_app WITH ADMIN OPTION;
-- silent C44_admin_option
CREATE ROLE lint_report;
GRANT lint_report TO lint_app WITH ADMIN OPTION;
