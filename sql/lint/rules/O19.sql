-- O19: large objects know roles, not rows.
UNION ALL
SELECT * FROM (VALUES ('O19_large_objects', 'warning',
    'the database holds %2$s large objects, which have no row security',
    'A large object belongs to a role. Where tenants share the application''s role, each reads and changes every large object of it, by numbers that are easily guessed.',
    'SELECT lo_get(oid) FROM pg_largeobject_metadata; -- in the context of one tenant: shows those of all',
    '-- Move them to bytea columns of protected tables, then lo_unlink() them.',
    ARRAY['shop', '12'])) AS m
LEFT JOIN LATERAL (
    SELECT NULL::text, 'pg_database'::regclass::oid, s.database, 0, NULL::text,
           ARRAY[s.name, CASE WHEN c.n > 1000 THEN 'over 1000' ELSE c.n::text END]
    FROM server AS s CROSS JOIN (SELECT count(*) AS n FROM (SELECT FROM pg_largeobject_metadata LIMIT 1001) AS x) AS c
    WHERE c.n > 0 AND EXISTS (SELECT FROM tenant_table)
) AS f ON true
UNION ALL
SELECT * FROM (VALUES ('O19_large_objects_possible', 'info',
    'every role may make large objects, which have no row security',
    'Drivers and frameworks make them for fields called LOB or Blob (Hibernate''s @Lob, for instance), and all tenants share them.',
    'SELECT lo_from_bytea(0, ''secret''); -- every tenant of the same role may read it',
    'REVOKE EXECUTE ON FUNCTION pg_catalog.lo_creat(integer), pg_catalog.lo_create(oid), pg_catalog.lo_from_bytea(oid, bytea) FROM PUBLIC;',
    ARRAY['shop'])) AS m
LEFT JOIN LATERAL (
    SELECT NULL::text, 'pg_database'::regclass::oid, s.database, 0, NULL::text, ARRAY[s.name]
    FROM server AS s
    WHERE EXISTS (SELECT FROM tenant_table) AND EXISTS (
        SELECT FROM pg_proc AS p CROSS JOIN LATERAL aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS a
        WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.proname IN ('lo_creat', 'lo_create', 'lo_from_bytea') AND a.grantee = 0)
) AS f ON true
UNION ALL
SELECT * FROM (VALUES ('O19_lo_compat_privileges', 'error',
    'lo_compat_privileges is on for %1$s: large objects have no owners',
    'With it, every role reads and changes every large object, whatever was granted.',
    'SELECT lo_get(oid) FROM pg_largeobject_metadata; -- as any role',
    '%2$s',
    ARRAY['the server', 'ALTER SYSTEM RESET lo_compat_privileges; SELECT pg_reload_conf();'])) AS m
LEFT JOIN LATERAL (
    SELECT NULL::text, s.class, s.object, 0, s.detail, ARRAY[s.place, s.command || ' RESET lo_compat_privileges;']
    FROM stored_setting AS s WHERE s.name = 'lo_compat_privileges' AND s.value IN ('on', 'true', 'yes', '1')
    UNION ALL
    SELECT NULL, 'pg_database'::regclass, d.database, 0, 'lo_compat_privileges of the server', ARRAY['the server', '-- Take it out of postgresql.conf.']
    FROM server_setting AS s CROSS JOIN server AS d WHERE s.name = 'lo_compat_privileges' AND s.value = 'on'
) AS f ON true
