-- O13: SECURITY DEFINER functions.
UNION ALL
SELECT * FROM (VALUES ('O13_definer_reads_all', 'error',
    'SECURITY DEFINER %5$s %1$s reads %2$s as %3$s, whom no policy of it binds (%4$s)',
    'A SECURITY DEFINER function works with the rights of its owner. Where policies do not bind that owner, whoever may call it reads or changes all tenants'' rows, as far as the function lets them. What BEGIN ATOMIC bodies read is known; of other bodies only the text is, so a table that is named in it counts as read.',
    'SELECT %1$s; -- in the context of one tenant: works on the rows of all',
    'ALTER %5$s %1$s SECURITY INVOKER; -- or give it an owner whom policies bind',
    ARRAY['shop.total()', 'shop.orders', 'postgres', 'known from its body', 'FUNCTION'])) AS m
LEFT JOIN LATERAL (
    SELECT CASE WHEN x.is_guess THEN 'warning' END, 'pg_proc'::regclass::oid, d.oid, 0, t.name,
           ARRAY[d.name, t.name, d.owner_name, CASE WHEN x.is_guess THEN 'its text has that name' ELSE 'known from its body' END, d.kind]
    FROM definer AS d
    JOIN definer_reads AS x ON x.reader = d.oid
    JOIN tenant_table AS t ON t.relid = x.tenant_table
    WHERE d.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype) AND d.is_callable
      AND (d.owner_bypasses OR (d.owner = t.owner AND t.is_open_to_owner))
) AS f ON true
UNION ALL
SELECT * FROM (VALUES ('O13_definer_unknown', 'info',
    'SECURITY DEFINER %3$s %1$s works as %2$s, and what it reads cannot be known (%4$s)',
    'Policies do not bind its owner. Dynamic SQL, and code in other languages than SQL and PL/pgSQL, may read any table: read the code.',
    'SELECT %1$s; -- in the context of one tenant',
    '-- Read it; if it stays in the tenant, suppress this with the reason. Better: an owner whom policies bind.',
    ARRAY['shop.search(text)', 'postgres', 'FUNCTION', 'it runs dynamic SQL'])) AS m
LEFT JOIN LATERAL (
    SELECT NULL::text, 'pg_proc'::regclass::oid, d.oid, 0, NULL::text,
           ARRAY[d.name, d.owner_name, d.kind, CASE WHEN d.language IN ('sql', 'plpgsql') THEN 'it runs dynamic SQL' ELSE 'it is written in ' || d.language END]
    FROM definer AS d
    WHERE d.owner_bypasses AND d.is_callable AND d.prorettype <> 'event_trigger'::regtype AND NOT d.is_parsed
      AND (d.language NOT IN ('sql', 'plpgsql') OR (d.language = 'plpgsql' AND d.prosrc ~* '\mexecute\M'))
      AND NOT EXISTS (SELECT FROM definer_reads AS x WHERE x.reader = d.oid)
) AS f ON true
UNION ALL
SELECT * FROM (VALUES ('O13_definer_search_path', 'error',
    'SECURITY DEFINER %3$s %1$s looks names up along the caller''s search_path',
    'Whoever calls it puts a schema of their own first: the function then calls the caller''s functions and operators, and reads the caller''s tables, with the rights of %2$s.',
    'SET search_path = mine, public; SELECT %1$s; -- runs what lies in mine as %2$s',
    'ALTER %3$s %1$s SET search_path = pg_catalog, pg_temp; -- and write the schemas of all other names into it',
    ARRAY['shop.total()', 'postgres', 'FUNCTION'])) AS m
LEFT JOIN LATERAL (
    -- Of a body that the server has parsed, names are resolved already.
    SELECT CASE WHEN d.is_harmless_owner THEN 'warning' END, 'pg_proc'::regclass::oid, d.oid, 0, NULL::text, ARRAY[d.name, d.owner_name, d.kind]
    FROM definer AS d WHERE d.search_path IS NULL AND NOT d.is_parsed AND (d.is_callable OR d.prorettype = 'trigger'::regtype)
) AS f ON true
