-- O49: protected tables under parents that are not.
UNION ALL
SELECT * FROM (VALUES ('O49_open_parent', 'error',
    '%1$s is a child of %2$s, which has no row security',
    'A query on the parent reads, changes and deletes the rows of its children by the parent''s policies alone: here by none.',
    'DELETE FROM %2$s; -- the rows of all tenants in %1$s',
    '%3$s',
    ARRAY['shop.orders', 'shop.everything', 'ALTER TABLE shop.orders NO INHERIT shop.everything;'])) AS m
LEFT JOIN LATERAL (
    SELECT NULL::text, 'pg_class'::regclass::oid, t.relid, 0, p.name,
           ARRAY[t.name, p.name, CASE WHEN p.relkind = 'p' THEN format('ALTER TABLE %s DETACH PARTITION %s;', p.name, t.name)
                                 ELSE format('ALTER TABLE %s NO INHERIT %s;', t.name, p.name) END]
    FROM inheritance AS i JOIN tenant_table AS t ON t.relid = i.child JOIN relation AS p ON p.relid = i.parent
    WHERE t.secured AND NOT p.secured
) AS f ON true
