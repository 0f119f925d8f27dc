-- fires O19_large_objects lint_
SELECT lo_from_bytea(0, 'x');
-- silent O19_large_objects
SELECT lo_unlink(lo_from_bytea(0, 'x'));
-- fires O19_large_objects_possible lint_
GRANT EXECUTE ON FUNCTION lo_create(oid) TO PUBLIC;
-- silent O19_large_objects_possible
GRANT EXECUTE ON FUNCTION lo_create(oid) TO lint_app;
-- fires O19_lo_compat_privileges lint_app
ALTER ROLE lint_app SET lo_compat_privileges = on;
-- silent O19_lo_compat_privileges
ALTER ROLE lint_app SET lo_compat_privileges = off;
-- silent O19_large_objects (by hand)
DROP SCHEMA shop CASCADE;
SELECT lo_from_bytea(0, 'x');
-- silent O19_large_objects_possible (by hand)
DROP SCHEMA shop CASCADE;
GRANT EXECUTE ON FUNCTION lo_create(oid) TO PUBLIC;
-- silent O19_lo_compat_privileges
ALTER ROLE lint_app SET enable_seqscan = on;
