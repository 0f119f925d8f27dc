-- P29: LEAKPROOF is a promise that nobody checks.
UNION ALL
SELECT * FROM (VALUES ('P29_leakproof_function', 'error',
    'function %1$s is marked LEAKPROOF, so it is called with rows that policies hide',
    'PostgreSQL applies leakproof functions before the policies. One that raises an error or a notice with its argument, writes, or takes its time, tells what it was given.',
    'SELECT * FROM orders WHERE %1$s; -- is called for the rows of all tenants',
    'ALTER FUNCTION %1$s NOT LEAKPROOF;',
    ARRAY['shop.same(text, text)'])) AS m
LEFT JOIN LATERAL (
    SELECT NULL::text, 'pg_proc'::regclass::oid, p.oid, 0, NULL::text,
           ARRAY[format('%I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid))]
    FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
    WHERE p.proleakproof AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'tenancy')
      AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
) AS f ON true
