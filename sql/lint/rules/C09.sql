-- C09: tables with a tenant column that nobody protected.
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
