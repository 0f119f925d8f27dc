-- O13: SECURITY DEFINER functions.
UNION ALL
SELECT * FROM (VALUES ('O13_definer_reads_all', 'error',
    'SECURITY DEFINER function %1$s reads %2$s as %3$s, whom no policy of it binds (%4$s)',
    'A SECURITY DEFINER function works with the rights of its owner. Where policies do not bind that owner, whoever may call it reads or changes all tenants'' rows, as far as the function lets them.',
    'SELECT %1$s; -- in the context of one tenant: works on the rows of all',
    'ALTER %5$s %1$s SECURITY INVOKER; -- or an owner whom policies bind',
    ARRAY['shop.total()', 'shop.orders', 'postgres', 'known from its body, which PostgreSQL has parsed', 'FUNCTION'])) AS m
LEFT JOIN LATERAL (
    SELECT CASE WHEN x.is_guess THEN 'warning' END, 'pg_proc'::regclass::oid, d.oid, 0, t.name,
           ARRAY[d.name, t.name, d.owner_name,
                 CASE WHEN x.is_guess THEN 'its text has that name; what a text does is not known for certain'
                      ELSE 'known from its body, which PostgreSQL has parsed' END, d.kind]
    FROM definer AS d
    JOIN definer_reads AS x ON x.reader = d.oid
    JOIN tenant_table AS t ON t.relid = x.tenant_table
    WHERE d.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype)
      AND (d.owner_bypasses OR (d.owner = t.owner AND t.is_open_to_owner))
) AS f ON true
UNION ALL
SELECT * FROM (VALUES ('O13_definer_search_path', 'error',
    'SECURITY DEFINER function %1$s looks names up along the caller''s search_path',
    'Whoever calls it puts a schema of their own first: the function then calls the caller''s functions and operators, and reads the caller''s tables, with the rights of %2$s.',
    'SET search_path = mine, public; SELECT %1$s; -- runs what lies in mine as %2$s',
    'ALTER %3$s %1$s SET search_path = pg_catalog, pg_temp; -- and qualify the names in it',
    ARRAY['shop.total()', 'postgres', 'FUNCTION'])) AS m
LEFT JOIN LATERAL (
    SELECT CASE WHEN d.is_harmless_owner THEN 'warning' END, 'pg_proc'::regclass::oid, d.oid, 0, NULL::text,
           ARRAY[d.name, d.owner_name, d.kind]
    FROM definer AS d WHERE d.search_path IS NULL AND NOT d.is_parsed
) AS f ON true
