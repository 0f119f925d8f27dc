-- O51: names that somebody else puts in the way.
UNION ALL
SELECT * FROM (VALUES ('O51_temporary_first', 'warning',
    'SECURITY DEFINER %2$s %1$s looks in pg_temp first (search_path is %3$s)',
    'Where search_path does not say pg_temp, PostgreSQL looks for tables and types there first: a temporary table of the caller''s takes the place of the one that is meant.',
    'CREATE TEMPORARY TABLE orders (...); SELECT %1$s; -- reads or fills the caller''s table',
    'ALTER %2$s %1$s SET search_path = %4$s;',
    ARRAY['shop.total()', 'FUNCTION', 'shop', 'shop, pg_temp'])) AS m
LEFT JOIN LATERAL (
    -- With an empty path, every name has its schema written, but for those of pg_catalog.
    SELECT CASE WHEN d.search_path IN ('""', '') THEN 'info' END, 'pg_proc'::regclass::oid, d.oid, 0, NULL::text,
           ARRAY[d.name, d.kind, CASE WHEN d.search_path = '' THEN '""' ELSE d.search_path END,
                 CASE WHEN d.search_path IN ('""', '') THEN 'pg_catalog, pg_temp'
                      ELSE regexp_replace(d.search_path, '(^|, *)"?pg_temp"?(,|$)', '\1', 'g') || ', pg_temp' END]
    FROM definer AS d
    WHERE NOT d.is_parsed AND (d.is_callable OR d.prorettype = 'trigger'::regtype) AND d.search_path !~ 'pg_temp"?\s*$'
) AS f ON true
UNION ALL
SELECT * FROM (VALUES ('O51_schema_for_all', 'error',
    'everybody may create objects in schema %1$s',
    'What a role creates there takes the place of what others mean when they leave the schema out: its functions and operators run with the rights of whoever meets them.',
    'CREATE FUNCTION %1$s.lower(text) ...; -- as anybody: others call it',
    'REVOKE CREATE ON SCHEMA %1$s FROM PUBLIC;',
    ARRAY['public'])) AS m
LEFT JOIN LATERAL (
    SELECT NULL::text, 'pg_namespace'::regclass::oid, n.oid, 0, NULL::text, ARRAY[quote_ident(n.nspname)]
    FROM pg_namespace AS n CROSS JOIN LATERAL aclexplode(n.nspacl) AS a
    WHERE a.grantee = 0 AND a.privilege_type = 'CREATE' AND n.nspname !~ '^pg_'
) AS f ON true
UNION ALL
SELECT * FROM (VALUES ('O51_system_last', 'error',
    'search_path of %1$s has other schemas before pg_catalog: %2$s',
    'Then a function or operator in those schemas takes the place of PostgreSQL''s own, = included, in policies that are made and in queries that are written there.',
    'CREATE FUNCTION public.current_setting(text) ...; -- whoever may: policies made from now on call it',
    '%3$s RESET search_path;',
    ARRAY['role shop_app', 'public, pg_catalog', 'ALTER ROLE shop_app'])) AS m
LEFT JOIN LATERAL (
    SELECT NULL::text, s.class, s.object, 0, s.detail, ARRAY[s.place, s.value, s.command]
    FROM stored_setting AS s WHERE s.name = 'search_path' AND s.value ~ ',\s*"?pg_catalog\M'
) AS f ON true
