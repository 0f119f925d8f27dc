-- O16: partitions and children by their own name.
UNION ALL
SELECT * FROM (VALUES ('O16_open_child', 'error',
    '%1$s, a child of %2$s, has no row security of its own',
    'The policies of a parent hold only for queries that name the parent. A partition or inheritance child that is named itself is judged by its own policies.',
    'SELECT count(*) FROM %1$s; -- in the context of one tenant: counts the rows of all',
    '%3$s',
    ARRAY['shop.orders_2026', 'shop.orders', 'SELECT tenancy.protect(''shop.orders'');'])) AS m
LEFT JOIN LATERAL (
    -- Rights on the parent do not reach a child that is named itself: nobody but its owner may use one without rights.
    SELECT CASE WHEN NOT EXISTS (SELECT FROM relation_grant AS g WHERE g.relid = t.relid) THEN 'warning' END,
           'pg_class'::regclass::oid, t.relid, 0, p.name,
           ARRAY[t.name, p.name, CASE WHEN n.extension AND p.is_recorded THEN p.protect
                                 ELSE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY; -- and the policies of %s', t.name, p.name) END]
    FROM inheritance AS i JOIN tenant_table AS t ON t.relid = i.child JOIN tenant_table AS p ON p.relid = i.parent
    CROSS JOIN installation AS n
    WHERE p.is_meant AND NOT t.secured
) AS f ON true
