-- C10: rights that row security does not cover.
UNION ALL
SELECT * FROM (VALUES ('C10_uncovered_privilege', 'error',
    '%2$s has %3$s on %1$s, which row security does not cover',
    'TRUNCATE empties the table for all tenants. TRIGGER plants code that runs in other tenants'' statements. REFERENCES tells, by a foreign key, which keys exist. MAINTAIN locks and rewrites the table.',
    'TRUNCATE %1$s; -- as %2$s: the rows of all tenants are gone',
    'REVOKE %3$s ON %1$s FROM %2$s;',
    ARRAY['shop.orders', 'shop_app', 'TRUNCATE'])) AS m
LEFT JOIN LATERAL (
    SELECT CASE WHEN g.privilege IN ('REFERENCES', 'MAINTAIN') THEN 'warning' END, 'pg_class'::regclass::oid, t.relid, 0,
           g.privilege || ' ' || g.grantee_name, ARRAY[t.name, g.grantee_name, g.privilege]
    FROM tenant_table AS t JOIN relation_grant AS g ON g.relid = t.relid
    WHERE g.privilege IN ('TRUNCATE', 'TRIGGER', 'REFERENCES', 'MAINTAIN')
) AS f ON true
