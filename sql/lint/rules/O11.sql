-- O11: views read with the rights of their owner.
UNION ALL
SELECT * FROM (VALUES ('O11_view_as_owner', 'error',
    'view %1$s reads %2$s with the rights of %3$s, whom no policy of it binds',
    'A view without security_invoker reads its tables as the owner of the view. Where policies do not bind that owner, everybody who may read the view, or a view over it, reads all tenants'' rows.',
    'SELECT count(*) FROM %1$s; -- in the context of one tenant: counts the rows of all',
    'ALTER VIEW %1$s SET (security_invoker = true);',
    ARRAY['shop.all_orders', 'shop.orders', 'postgres'])) AS m
LEFT JOIN LATERAL (
    SELECT NULL::text, 'pg_class'::regclass::oid, v.relid, 0, t.name, ARRAY[v.name, t.name, v.owner_name]
    FROM relation AS v
    JOIN view_reads AS x ON x.reader = v.relid AND x.class = 'pg_class'::regclass
    JOIN tenant_table AS t ON t.relid = x.object
    WHERE v.relkind = 'v' AND NOT coalesce(v.reloptions && ARRAY['security_invoker=true', 'security_invoker=on'], false)
      AND (v.owner_bypasses OR (v.owner = t.owner AND t.is_open_to_owner))
) AS f ON true
