-- P31: a tenant's query should read a tenant's part.
UNION ALL
SELECT * FROM (VALUES ('P31_no_tenant_index', 'warning',
    '%1$s has no index that begins with %2$s',
    'Without one, a tenant''s query reads the rows of all tenants to find its own: it takes as long as the others are many, which tells how many they are, and it slows the others down.',
    'SELECT count(*) FROM %1$s; -- takes as long as all tenants have rows',
    'CREATE INDEX ON %1$s (%2$s);',
    ARRAY['shop.orders', 'tenant_id'])) AS m
LEFT JOIN LATERAL (
    SELECT NULL::text, 'pg_class'::regclass::oid, t.relid, 0, NULL::text, ARRAY[t.name, t.column_name]
    FROM tenant_table AS t
    WHERE t.relkind = 'r' AND t.is_meant
      AND NOT EXISTS (SELECT FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid JOIN pg_am AS m ON m.oid = c.relam
                      WHERE i.indrelid = t.relid AND i.indisvalid AND i.indpred IS NULL AND i.indkey[0] = t.attnum AND m.amname IN ('btree', 'hash'))
) AS f ON true
