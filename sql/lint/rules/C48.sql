-- C48: owners are trusted, so nobody should work as one.
UNION ALL
SELECT * FROM (VALUES ('C48_owner_logs_in', 'warning',
    'role %1$s logs in and has the rights of %2$s, who owns %3$s (and %4$s more tables of tenants)',
    'The owner of a table reads all rows in expressions of indexes, checks and generated columns, in triggers and statistics, and may switch row security off. An application that works as the owner is bound by nothing.',
    'CREATE INDEX ON %3$s (note(orders.*)); -- as %2$s: note() sees the rows of all tenants',
    '%5$s',
    ARRAY['shop_app', 'shop_owner', 'shop.orders', '11', 'REVOKE shop_owner FROM shop_app;'])) AS m
LEFT JOIN LATERAL (
    SELECT NULL::text, 'pg_authid'::regclass::oid, l.oid, 0, o.rolname::text,
           ARRAY[l.name, o.name, min(t.name), (count(*) - 1)::text,
                 CASE WHEN l.oid = o.oid
                      THEN CASE WHEN n.extension THEN format('-- SELECT tenancy.protect(%L, ..., owner => ''<a role without LOGIN>''), for each of them.', min(t.name))
                                ELSE '-- ALTER TABLE ... OWNER TO a role without LOGIN, for each of them.' END
                      ELSE (SELECT string_agg(format('REVOKE %s FROM %s;', o.name, s.name), ' ')
                            FROM membership AS m JOIN holds AS y ON y.role = l.oid AND y.target = m.member
                            JOIN role AS s ON s.oid = m.member WHERE m.role = o.oid) END]
    FROM tenant_table AS t JOIN role AS o ON o.oid = t.owner JOIN holds AS h ON h.target = o.oid JOIN bound_login AS l ON l.oid = h.role
    CROSS JOIN installation AS n
    GROUP BY l.oid, l.name, o.oid, o.rolname, o.name, n.extension
) AS f ON true
UNION ALL
SELECT * FROM (VALUES ('C48_foreign_code', 'warning',
    'a %2$s of %1$s runs function %3$s of %4$s, who neither owns the table nor is a superuser',
    'Code in triggers, checks, defaults, policies, rules and index expressions runs in every tenant''s statements and sees their rows. Whoever owns the function changes what it does at any time.',
    'CREATE OR REPLACE FUNCTION %3$s ... INSERT INTO loot ...; -- as %4$s',
    'ALTER ROUTINE %3$s OWNER TO %5$s;',
    ARRAY['shop.orders', 'trigger', 'tools.stamp()', 'developer', 'shop_owner'])) AS m
LEFT JOIN LATERAL (
    SELECT NULL::text, 'pg_class'::regclass::oid, t.relid, 0, x.what || ' ' || x.function_name,
           ARRAY[t.name, x.what, x.function_name, x.owner_name, t.owner_name]
    FROM attached_code AS x JOIN tenant_table AS t ON t.relid = x.relid
    WHERE x.owner <> t.owner AND NOT x.owner_is_superuser
) AS f ON true
