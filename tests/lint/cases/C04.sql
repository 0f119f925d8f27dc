-- fires C04_server_files lint_app
CREATE ROLE lint_step;
GRANT pg_execute_server_program TO lint_step;
GRANT lint_step TO lint_app;
-- silent C04_server_files
CREATE ROLE lint_files;
GRANT pg_read_server_files TO lint_files;
GRANT pg_monitor TO lint_app;
-- fires C04_replication lint_standby
CREATE ROLE lint_standby LOGIN REPLICATION;
-- silent C04_replication
CREATE ROLE lint_standby LOGIN;
-- fires C04_server_file_function pg_catalog.pg_read_binary_file(pg_catalog.text)
GRANT EXECUTE ON FUNCTION pg_read_binary_file(text) TO lint_app;
-- fires C04_server_file_function public.pg_get_wal_record_info
CREATE EXTENSION pg_walinspect;
GRANT EXECUTE ON FUNCTION pg_get_wal_record_info TO PUBLIC;
-- silent C04_server_file_function
CREATE EXTENSION pageinspect;
GRANT EXECUTE ON FUNCTION get_raw_page(text, bigint) TO lint_app; -- it refuses all but superusers
CREATE EXTENSION pg_walinspect;
