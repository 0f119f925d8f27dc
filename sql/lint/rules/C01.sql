-- C01: row security off.
UNION ALL
SELECT * FROM (VALUES ('C01_row_security_off', 'error',
    'row security of %1$s is off, although it is meant to be on',
    'Policies count only while row security is enabled on their table. Without it everybody who has rights on the table reads all tenants'' rows.',
    'SELECT count(*) FROM %1$s; -- counts the rows of all tenants',
    'ALTER TABLE %1$s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;',
    ARRAY['shop.orders'])) AS m
LEFT JOIN LATERAL (
    SELECT NULL::text, 'pg_class'::regclass::oid, t.relid, 0, NULL::text, ARRAY[t.name]
    FROM tenant_table AS t
    WHERE t.is_meant AND NOT t.secured
      AND NOT EXISTS (SELECT FROM inheritance AS i JOIN tenant_table AS p ON p.relid = i.parent WHERE i.child = t.relid)
) AS f ON true
