-- O12: materialized views are copies without policies.
UNION ALL
SELECT * FROM (VALUES ('O12_materialized_view', 'error',
    'materialized view %1$s holds rows of %2$s, and no policy guards them; it is read by %3$s',
    'A materialized view is filled as its owner and cannot have row security: whoever may read it reads all that its owner read.',
    'SELECT count(*) FROM %1$s; -- in the context of one tenant: counts the rows of all',
    '%4$s',
    ARRAY['shop.totals', 'shop.orders', 'shop_app', 'REVOKE ALL ON shop.totals FROM shop_app;'])) AS m
LEFT JOIN LATERAL (
    SELECT CASE WHEN g.names IS NULL AND (v.owner_bypasses OR NOT o.rolcanlogin) THEN 'info' END,
           'pg_class'::regclass::oid, v.relid, 0, concat_ws(' ', t.name, CASE WHEN g.names IS NOT NULL THEN 'granted' END),
           ARRAY[v.name, t.name, coalesce(g.names, v.owner_name),
                 coalesce(g.revoke, '-- A protected table, filled for each tenant, or an ordinary view.')]
    FROM relation AS v
    JOIN role AS o ON o.oid = v.owner
    JOIN view_reaches AS x ON x.reader = v.relid
    JOIN tenant_table AS t ON t.relid = x.tenant_table
    LEFT JOIN LATERAL (SELECT string_agg(DISTINCT g.grantee_name, ', ') AS names,
                              string_agg(DISTINCT format('REVOKE ALL ON %s FROM %s;', r.name, g.grantee_name), ' ') AS revoke
                       FROM relation_grant AS g JOIN relation AS r ON r.relid = g.relid
                       WHERE g.privilege = 'SELECT'
                         AND (g.relid = v.relid OR g.relid IN (SELECT m.reader FROM materialized_reads AS m WHERE m.materialized = v.relid))) AS g ON true
    WHERE v.relkind = 'm'
) AS f ON true
