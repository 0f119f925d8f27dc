-- C03: roles that no policy binds.
UNION ALL
SELECT * FROM (VALUES ('C03_bypass_role', 'error',
    'no policy binds role %1$s, which has BYPASSRLS and rights on %3$s',
    'A role with BYPASSRLS reads and writes the rows of all tenants wherever it has rights on the table. At tables that tenancy protects it is stopped until it is registered, but not in pg_stats, which shows it the most common values of every table that it may read.',
    'SET ROLE %1$s; SELECT most_common_vals FROM pg_stats; -- values of all tenants; SELECT count(*) FROM orders counts the rows of all',
    'ALTER ROLE %1$s NOBYPASSRLS;%2$s',
    ARRAY['report', ' -- or, if it is to work for all: SELECT tenancy.register_bypass(''report'', ''purpose'');', 'tables of tenants, such as shop.orders'])) AS m
LEFT JOIN LATERAL (
    SELECT CASE WHEN x.name IS NULL THEN 'info' WHEN NOT i.extension THEN 'warning' END, 'pg_authid'::regclass::oid, r.oid, 0, NULL::text,
           ARRAY[r.name, CASE WHEN i.extension THEN format(' -- or, if it is to work for all: SELECT tenancy.register_bypass(%L, ''purpose'');', r.rolname) END,
                 coalesce('tables of tenants, such as ' || x.name, 'no table of tenants as yet')]
    FROM role AS r CROSS JOIN installation AS i
    CROSS JOIN LATERAL (
        SELECT min(t.name) AS name FROM tenant_table AS t
        WHERE has_any_column_privilege(r.oid, t.relid, 'SELECT, INSERT, UPDATE, REFERENCES') OR has_table_privilege(r.oid, t.relid, 'DELETE, TRUNCATE, TRIGGER')
    ) AS x
    WHERE r.rolbypassrls AND NOT r.rolsuper AND r.rolname <> 'tenancy_maintainer'
      AND r.oid NOT IN (SELECT a.role FROM allowed_bypass AS a)
) AS f ON true
UNION ALL
SELECT * FROM (VALUES ('C03_becomes_bypass_role', 'error',
    'role %1$s can become %2$s, whom no policy binds',
    'SET ROLE changes to any role that a chain of memberships leads to (from 16 on: with the SET option). What an application may become, whoever injects SQL into it becomes.',
    'SET ROLE %2$s; SELECT count(*) FROM orders; -- as %1$s: counts the rows of all tenants',
    '%3$s',
    ARRAY['shop_app', 'report', 'REVOKE report FROM shop_app;'])) AS m
LEFT JOIN LATERAL (
    SELECT NULL::text, 'pg_authid'::regclass::oid, r.oid, 0, x.rolname::text,
           ARRAY[r.name, x.name, (SELECT string_agg(format('REVOKE %s FROM %s;', x.name, s.name), ' ')
                                  FROM membership AS m JOIN becomes AS y ON y.role = r.oid AND y.target = m.member
                                  JOIN role AS s ON s.oid = m.member WHERE m.role = x.oid AND m.can_set)]
    FROM becomes AS b JOIN bound_login AS r ON r.oid = b.role JOIN role AS x ON x.oid = b.target
    WHERE x.bypasses AND x.oid NOT IN (SELECT a.role FROM allowed_bypass AS a)
) AS f ON true
