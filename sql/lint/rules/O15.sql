-- O15: trigger functions with the rights of their owner. Those without SECURITY DEFINER run as whoever gave the command.
UNION ALL
SELECT * FROM (VALUES ('O15_definer_trigger', 'error',
    'trigger %1$s of %2$s works on %3$s as %4$s, whom no policy of it binds (function %5$s, %6$s)',
    'A trigger function that is SECURITY DEFINER runs with the rights of its owner: what it reads or changes for one tenant''s command may be any tenant''s.',
    'INSERT INTO %2$s ...; -- in the context of one tenant: the trigger works on the rows of all',
    'ALTER FUNCTION %5$s SECURITY INVOKER; -- or give it an owner whom policies bind',
    ARRAY['answers', 'shop.requests', 'shop.orders', 'postgres', 'shop.answer()', 'its text has that name'])) AS m
LEFT JOIN LATERAL (
    SELECT CASE WHEN x.is_guess THEN 'warning' END, 'pg_trigger'::regclass::oid, g.oid, 0, t.name,
           ARRAY[g.name, r.name, t.name, d.owner_name, d.name, CASE WHEN x.is_guess THEN 'its text has that name' ELSE 'known from its body' END]
    FROM user_trigger AS g JOIN relation AS r ON r.relid = g.tgrelid JOIN definer AS d ON d.oid = g.tgfoid
    JOIN definer_reads AS x ON x.reader = d.oid JOIN tenant_table AS t ON t.relid = x.tenant_table
    WHERE (d.owner_bypasses OR (d.owner = t.owner AND t.is_open_to_owner))
) AS f ON true
UNION ALL
SELECT * FROM (VALUES ('O15_definer_trigger_unknown', 'info',
    'trigger %1$s of %2$s runs function %3$s as %4$s, whom no policy binds',
    'Its text names no table of tenants, but it gets every row that is written to this one, and dynamic SQL may read any: read the code.',
    'INSERT INTO %2$s ...; -- the function sees the row as %4$s',
    'ALTER FUNCTION %3$s SECURITY INVOKER; -- if the function needs no rights of its own',
    ARRAY['stamp', 'shop.orders', 'shop.stamp()', 'postgres'])) AS m
LEFT JOIN LATERAL (
    SELECT NULL::text, 'pg_trigger'::regclass::oid, g.oid, 0, NULL::text, ARRAY[g.name, t.name, d.name, d.owner_name]
    FROM user_trigger AS g JOIN tenant_table AS t ON t.relid = g.tgrelid JOIN definer AS d ON d.oid = g.tgfoid
    WHERE d.owner_bypasses AND NOT EXISTS (SELECT FROM definer_reads AS x WHERE x.reader = d.oid)
) AS f ON true
