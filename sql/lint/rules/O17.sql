-- O17: what lies on other servers, and comes back from them as another role.
UNION ALL
SELECT * FROM (VALUES ('O17_foreign_table', 'error',
    'foreign table %1$s is read by %2$s; foreign tables cannot have row security',
    'The other server sees the role of the user mapping, not the tenant. Whoever may read the foreign table reads what that role may.',
    'SELECT count(*) FROM %1$s; -- in the context of one tenant: counts all rows over there',
    'REVOKE ALL ON %1$s FROM %2$s; -- and offer a view or function that asks for the tenant',
    ARRAY['shop.remote_orders', 'shop_app'])) AS m
LEFT JOIN LATERAL (
    SELECT CASE WHEN NOT x.has_tenant THEN 'warning' END, 'pg_class'::regclass::oid, r.relid, 0, NULL::text, ARRAY[r.name, g.names]
    FROM relation AS r
    CROSS JOIN LATERAL (SELECT string_agg(DISTINCT g.grantee_name, ', ') AS names FROM relation_grant AS g WHERE g.relid = r.relid) AS g
    CROSS JOIN LATERAL (SELECT EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = r.relid AND a.attname IN (SELECT name FROM tenant_column)) AS has_tenant) AS x
    WHERE r.relkind = 'f' AND g.names IS NOT NULL AND NOT EXISTS (SELECT FROM set_aside AS s WHERE s.relid = r.relid)
) AS f ON true
UNION ALL
SELECT * FROM (VALUES ('O17_loopback_server', 'warning',
    'foreign server %1$s leads back to this database',
    'A connection from the database to itself starts a session without context, as the role of the user mapping.',
    'SELECT * FROM dblink(%2$L, ''SELECT * FROM orders'') AS t(...); -- as the mapping''s role',
    'DROP SERVER %1$s CASCADE;',
    ARRAY['loopback', 'loopback'])) AS m
LEFT JOIN LATERAL (
    SELECT NULL::text, 'pg_foreign_server'::regclass::oid, s.oid, 0, NULL::text, ARRAY[quote_ident(s.srvname), s.srvname]
    FROM pg_foreign_server AS s JOIN pg_foreign_data_wrapper AS w ON w.oid = s.srvfdw
    CROSS JOIN LATERAL (SELECT max(substr(o, 8)) FILTER (WHERE o LIKE 'dbname=%') AS dbname, max(substr(o, 6)) FILTER (WHERE o LIKE 'host=%') AS host,
                               max(substr(o, 6)) FILTER (WHERE o LIKE 'port=%') AS port FROM unnest(s.srvoptions) AS o) AS o
    WHERE w.fdwname IN ('postgres_fdw', 'dblink_fdw') AND coalesce(o.dbname, current_database()) = current_database()
      AND (coalesce(o.host, '') = '' OR o.host ~ '^(/|localhost|127\.|::1)') AND coalesce(o.port, current_setting('port')) = current_setting('port')
) AS f ON true
UNION ALL
SELECT * FROM (VALUES ('O17_mapping_for_all', 'warning',
    'every role uses server %1$s as the same role (user mapping for PUBLIC)',
    'Whoever gets USAGE on the server, for whatever reason, is on the other side the role of this mapping.',
    'CREATE FOREIGN TABLE mine (...) SERVER %1$s; SELECT * FROM mine;',
    'DROP USER MAPPING FOR PUBLIC SERVER %1$s; -- and make one for each role that needs it',
    ARRAY['warehouse'])) AS m
LEFT JOIN LATERAL (
    SELECT NULL::text, 'pg_foreign_server'::regclass::oid, u.srvid, 0, NULL::text, ARRAY[quote_ident(u.srvname)]
    FROM pg_user_mappings AS u WHERE u.umuser = 0
) AS f ON true
UNION ALL
SELECT * FROM (VALUES ('O17_dblink', 'warning',
    '%2$s may call %1$s',
    'dblink opens sessions of its own, in this database or another, as any role whose password or mapping the caller knows. dblink_connect_u asks for no password at all.',
    'SELECT * FROM dblink(''dbname=shop user=report password=...'', ''SELECT * FROM orders'') AS t(...); -- as %2$s',
    'REVOKE EXECUTE ON FUNCTION %1$s FROM %2$s;',
    ARRAY['public.dblink(text, text)', 'PUBLIC'])) AS m
LEFT JOIN LATERAL (
    SELECT CASE WHEN p.proname = 'dblink_connect_u' THEN 'error' END, 'pg_proc'::regclass::oid, p.oid, 0, coalesce(g.rolname::text, 'PUBLIC'),
           ARRAY[format('%I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)), coalesce(g.name, 'PUBLIC')]
    FROM pg_extension AS e JOIN pg_depend AS d ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid AND d.classid = 'pg_proc'::regclass
    JOIN pg_proc AS p ON p.oid = d.objid JOIN pg_namespace AS n ON n.oid = p.pronamespace
    CROSS JOIN LATERAL aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS a LEFT JOIN role AS g ON g.oid = a.grantee
    WHERE e.extname = 'dblink' AND p.proname IN ('dblink', 'dblink_exec', 'dblink_connect', 'dblink_connect_u', 'dblink_open', 'dblink_send_query')
      AND a.grantee <> p.proowner AND NOT coalesce(g.rolsuper, false)
) AS f ON true
