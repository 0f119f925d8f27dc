-- fires P30_counting_function public.pgstattuple
CREATE EXTENSION pgstattuple;
GRANT EXECUTE ON FUNCTION pgstattuple(text) TO lint_app;
-- silent P30_counting_function
CREATE EXTENSION pgstattuple;
CREATE EXTENSION pg_visibility;
-- fires P30_totals lint_
-- silent P30_totals
REVOKE SELECT ON pg_class FROM PUBLIC;
GRANT SELECT ON pg_class TO lint_reader;
-- silent P30_counting_function
CREATE EXTENSION pgstattuple;
CREATE ROLE lint_root SUPERUSER;
GRANT EXECUTE ON FUNCTION pgstattuple(text) TO lint_root, pg_monitor;
-- silent P30_totals (by hand)
DROP SCHEMA shop CASCADE;
