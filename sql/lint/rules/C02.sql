-- C02: the owner is not bound.
UNION ALL
SELECT * FROM (VALUES ('C02_owner_without_force', 'error',
    'the policies of %1$s do not bind its owner, %2$s',
    'PostgreSQL leaves the owner of a table out of row security unless it is forced: whoever works as the owner, and every view and SECURITY DEFINER function of the owner''s, reads all rows.',
    'SET ROLE %2$s; SELECT count(*) FROM %1$s; -- counts the rows of all tenants',
    'ALTER TABLE %1$s FORCE ROW LEVEL SECURITY;',
    ARRAY['shop.orders', 'shop_owner'])) AS m
LEFT JOIN LATERAL (
    -- FORCE does not bind an owner who bypasses row security anyway.
    SELECT CASE WHEN t.owner_bypasses THEN 'warning' END, 'pg_class'::regclass::oid, t.relid, 0, NULL::text, ARRAY[t.name, t.owner_name]
    FROM tenant_table AS t WHERE t.secured AND NOT t.forced
) AS f ON true
