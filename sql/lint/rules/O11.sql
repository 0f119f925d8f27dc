-- O11: views read with the rights of their owner.
UNION ALL
SELECT * FROM (VALUES ('O11_view_as_owner', 'error',
    'view %1$s reads %2$s with the rights of %3$s, whom no policy of it binds%4$s',
    'A view without security_invoker reads its tables as the owner of the view. Where policies do not bind that owner, everybody who may read the view, or a view over it, reads all tenants'' rows.',
    'SELECT count(*) FROM %1$s; -- in the context of one tenant: counts the rows of all',
    'ALTER VIEW %1$s SET (security_invoker = true);',
    ARRAY['shop.all_orders', 'shop.orders', 'postgres', '; shop.recent_orders reads it'])) AS m
LEFT JOIN LATERAL (
    SELECT NULL::text, 'pg_class'::regclass::oid, v.relid, 0, v.table_name,
           ARRAY[v.name, v.table_name, v.owner_name,
                 '; ' || (SELECT string_agg(o.name, ', ' ORDER BY o.name) FROM view_reads AS y JOIN relation AS o ON o.relid = y.reader
                          WHERE y.class = 'pg_class'::regclass AND y.object = v.relid) || ' reads it']
    FROM view_as_owner AS v WHERE v.bypasses
) AS f ON true
UNION ALL
SELECT * FROM (VALUES ('O11_view_policies_of_owner', 'info',
    'view %1$s reads %2$s under the policies for its owner, %3$s, not for whoever asks',
    'It stays within the tenant as long as the policies bind the owner and ask nothing else of the role. security_invoker keeps it so when owner or policies change.',
    'ALTER VIEW %1$s OWNER TO postgres; SELECT count(*) FROM %1$s; -- counts the rows of all tenants from now on',
    'ALTER VIEW %1$s SET (security_invoker = true);',
    ARRAY['shop.all_orders', 'shop.orders', 'shop_owner'])) AS m
LEFT JOIN LATERAL (
    SELECT NULL::text, 'pg_class'::regclass::oid, v.relid, 0, v.table_name, ARRAY[v.name, v.table_name, v.owner_name]
    FROM view_as_owner AS v WHERE NOT v.bypasses
) AS f ON true
