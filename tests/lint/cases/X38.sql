-- fires X38_reads_all_statistics lint_app
GRANT pg_monitor TO lint_app;
-- silent X38_reads_all_statistics
CREATE ROLE lint_metrics LOGIN;
GRANT pg_monitor TO lint_metrics; -- it reads no table
-- fires X38_statements public.pg_stat_statements
CREATE EXTENSION pg_stat_statements;
-- silent X38_statements
CREATE EXTENSION pg_stat_statements;
REVOKE SELECT ON pg_stat_statements FROM PUBLIC;
-- silent X38_reads_all_statistics
CREATE ROLE lint_metrics LOGIN;
GRANT pg_monitor TO lint_metrics;
GRANT SELECT ON shop.country TO lint_metrics;
-- silent X38_statements
CREATE SCHEMA other;
CREATE VIEW other.pg_stat_statements AS SELECT 1 AS x;
GRANT SELECT ON other.pg_stat_statements TO PUBLIC;
-- silent X38_statements (by hand)
DROP SCHEMA shop CASCADE;
CREATE EXTENSION pg_stat_statements;
-- fires X38_reads_all_statistics lint_app
-- One finding, although pg_monitor has the others' rights.
GRANT pg_monitor TO lint_app;
REVOKE pg_stat_scan_tables FROM pg_monitor;
