-- C09: tables that nobody protected.
UNION ALL
SELECT * FROM (VALUES ('C09_unprotected_table', 'error',
    'table %1$s has the tenant column %2$s, and no row security',
    'Everybody who has rights on the table reads all tenants'' rows.',
    'SELECT DISTINCT %2$s FROM %1$s; -- shows every tenant',
    '%3$s',
    ARRAY['shop.orders', 'tenant_id', 'SELECT tenancy.protect(''shop.orders'', ''tenant_id'');'])) AS m
LEFT JOIN LATERAL (
    SELECT NULL::text, 'pg_class'::regclass::oid, t.relid, 0, NULL::text, ARRAY[t.name, t.column_name, t.protect]
    FROM tenant_table AS t
    WHERE NOT t.is_meant
      AND NOT EXISTS (SELECT FROM inheritance AS i JOIN tenant_table AS p ON p.relid = i.parent WHERE i.child = t.relid)
) AS f ON true
UNION ALL
SELECT * FROM (VALUES ('C09_child_without_tenant', 'warning',
    'table %1$s refers to %2$s, has no tenant column, and no row security',
    'What belongs to a row of a tenant belongs to the tenant. A table without the column has nothing that a policy could compare.',
    'SELECT * FROM %1$s; -- shows the rows of all tenants',
    '%3$s',
    ARRAY['shop.order_lines', 'shop.orders', 'SELECT tenancy.protect(''shop.order_lines'', via => ''order_id'');'])) AS m
LEFT JOIN LATERAL (
    SELECT NULL::text, 'pg_class'::regclass::oid, r.relid, 0, t.name,
           ARRAY[r.name, t.name,
                 CASE WHEN n.extension AND t.is_recorded
                      THEN format('SELECT tenancy.protect(%L, %L, via => %L);', r.name, t.attname,
                                  (SELECT a.attname FROM pg_attribute AS a WHERE a.attrelid = r.relid AND a.attnum = k.conkey[1]))
                      ELSE '-- Add the tenant column, fill it from the parent, and protect the table by it.' END]
    FROM foreign_key AS k JOIN relation AS r ON r.relid = k.conrelid JOIN tenant_table AS t ON t.relid = k.confrelid
    CROSS JOIN installation AS n
    WHERE NOT r.secured AND r.relkind IN ('r', 'p')
      AND NOT EXISTS (SELECT FROM tenant_table AS x WHERE x.relid = r.relid)
      AND NOT EXISTS (SELECT FROM set_aside AS x WHERE x.relid = r.relid)
      AND NOT EXISTS (SELECT FROM inheritance AS x WHERE x.child = r.relid)
) AS f ON true
UNION ALL
SELECT * FROM (VALUES ('C09_default_privileges', 'warning',
    'tables that %1$s makes%2$s are granted to %3$s from the start (%4$s)',
    'A new table is open until somebody protects it, and default privileges open it to everybody at once. Those that row security does not cover (TRUNCATE, TRIGGER, REFERENCES) stay with every table to come.',
    'CREATE TABLE new (tenant_id uuid); -- as %1$s: open to %3$s already',
    'ALTER DEFAULT PRIVILEGES FOR ROLE %1$s%2$s REVOKE %4$s ON TABLES FROM %3$s;',
    ARRAY['shop_owner', ' IN SCHEMA shop', 'PUBLIC', 'SELECT'])) AS m
LEFT JOIN LATERAL (
    SELECT NULL::text, 'pg_default_acl'::regclass::oid, d.oid, 0, coalesce(g.rolname::text, 'PUBLIC'),
           ARRAY[o.name, coalesce(' IN SCHEMA ' || quote_ident(n.nspname), ''), coalesce(g.name, 'PUBLIC'),
                 string_agg(a.privilege_type, ', ' ORDER BY a.privilege_type)]
    FROM pg_default_acl AS d JOIN role AS o ON o.oid = d.defaclrole LEFT JOIN pg_namespace AS n ON n.oid = d.defaclnamespace
    CROSS JOIN LATERAL aclexplode(d.defaclacl) AS a LEFT JOIN role AS g ON g.oid = a.grantee
    WHERE d.defaclobjtype = 'r' AND a.grantee <> d.defaclrole AND NOT coalesce(g.rolsuper, false)
      AND (a.grantee = 0 OR a.privilege_type IN ('TRUNCATE', 'TRIGGER', 'REFERENCES', 'MAINTAIN'))
    GROUP BY d.oid, o.name, n.nspname, g.rolname, g.name
) AS f ON true
