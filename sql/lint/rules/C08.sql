-- C08: commands that the policies do not confine.
UNION ALL
SELECT * FROM (VALUES ('C08_command_not_confined', 'error',
    'no policy of %1$s asks for the tenant for %2$s; policy %3$s opens it',
    'Policies are made per command. Where those that ask for the tenant leave a command out, a permissive policy for it opens all rows.',
    'DELETE FROM %1$s; -- in the context of one tenant: the rows of all',
    '-- A restrictive policy for this command, or one FOR ALL, that compares %4$s with the tenant of the session.',
    ARRAY['shop.orders', 'DELETE', 'members', 'tenant_id'])) AS m
LEFT JOIN LATERAL (
    SELECT NULL::text, 'pg_policy'::regclass::oid, o.policy_id, 0, o.clause, ARRAY[o.table_name, o.commands, o.name, o.column_name]
    FROM open_clause AS o
    WHERE o.permissive AND NOT o.has_tenant AND NOT o.is_beside AND o.effects && '{r,u,d}'
      AND EXISTS (SELECT FROM policy_clause AS p WHERE p.relid = o.relid AND p.has_tenant)
) AS f ON true
UNION ALL
SELECT * FROM (VALUES ('C08_nothing_permitted', 'info',
    '%1$s has row security and no permissive policy: nobody but its owner sees a row',
    'It is closed, not open. Restrictive policies only narrow what permissive ones permit; where there is none, somebody will add one in a hurry.',
    'SELECT count(*) FROM %1$s; -- 0',
    '-- A permissive policy that compares %2$s with the tenant of the session.',
    ARRAY['shop.orders', 'tenant_id'])) AS m
LEFT JOIN LATERAL (
    SELECT NULL::text, 'pg_class'::regclass::oid, t.relid, 0, NULL::text, ARRAY[t.name, t.column_name]
    FROM tenant_table AS t
    WHERE t.secured AND NOT EXISTS (SELECT FROM policy_clause AS p WHERE p.relid = t.relid AND p.permissive)
) AS f ON true
