-- P30: numbers about whole tables.
UNION ALL
SELECT * FROM (VALUES ('P30_counting_function', 'warning',
    '%2$s may call %1$s, which counts the rows or pages of all tenants',
    'Row security knows nothing of functions that count pages, dead rows and free space: called again and again they show what others insert and delete.',
    'SELECT * FROM pgstattuple(''orders''); -- as %2$s: counts the rows of all tenants',
    'REVOKE EXECUTE ON FUNCTION %1$s FROM %2$s;',
    ARRAY['public.pgstattuple(text)', 'shop_app'])) AS m
LEFT JOIN LATERAL (
    SELECT NULL::text, 'pg_proc'::regclass::oid, p.oid, 0, coalesce(g.rolname::text, 'PUBLIC'),
           ARRAY[format('%I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)), coalesce(g.name, 'PUBLIC')]
    FROM pg_extension AS e JOIN pg_depend AS d ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid AND d.classid = 'pg_proc'::regclass
    JOIN pg_proc AS p ON p.oid = d.objid JOIN pg_namespace AS n ON n.oid = p.pronamespace
    CROSS JOIN LATERAL aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS a LEFT JOIN role AS g ON g.oid = a.grantee
    WHERE e.extname IN ('pgstattuple', 'pg_freespacemap', 'pg_visibility', 'pg_buffercache')
      AND a.grantee <> p.proowner AND NOT coalesce(g.rolsuper OR g.rolname ~ '^pg_', false)
) AS f ON true
UNION ALL
SELECT * FROM (VALUES ('P30_totals', 'info',
    'every role reads in pg_class how many rows and pages a table has, those of all tenants',
    'reltuples and relpages are rounded and as old as the last VACUUM, and PostgreSQL shows them to everybody. What remains: a tenant that can send SQL learns the size of the whole.',
    'SELECT reltuples FROM pg_class WHERE oid = ''orders''::regclass;',
    '-- Nothing that does no harm: clients and drivers read pg_class. Suppress this once you have decided that totals may be known.',
    ARRAY['shop'])) AS m
LEFT JOIN LATERAL (
    SELECT NULL::text, 'pg_database'::regclass::oid, s.database, 0, NULL::text, ARRAY[s.name]
    FROM server AS s
    WHERE EXISTS (SELECT FROM tenant_table) AND EXISTS (
        SELECT FROM pg_class AS c CROSS JOIN LATERAL aclexplode(c.relacl) AS a
        WHERE c.oid = 'pg_class'::regclass AND a.grantee = 0 AND a.privilege_type = 'SELECT')
) AS f ON true
