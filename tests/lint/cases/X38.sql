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
