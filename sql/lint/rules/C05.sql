-- C05: permissive policies are joined by OR.
UNION ALL
SELECT * FROM (VALUES ('C05_permissive_opens', 'error',
    'policy %2$s opens %1$s to other tenants (%3$s) beside policies that ask for the tenant',
    'Permissive policies are joined by OR: one that does not ask for the tenant opens what the others close.',
    'SELECT count(*) FROM %1$s; -- in the context of one tenant: counts the rows of all that %4$s is true for',
    'DROP POLICY %2$s ON %1$s; -- or make it AS RESTRICTIVE, which narrows',
    ARRAY['shop.orders', 'support', 'USING, for SELECT', 'true'])) AS m
LEFT JOIN LATERAL (
    SELECT NULL::text, 'pg_policy'::regclass::oid, o.policy_id, 0, o.clause,
           ARRAY[o.table_name, o.name, o.clause || ', for ' || o.commands, o.text]
    FROM open_clause AS o
    WHERE o.permissive AND NOT o.has_tenant AND o.is_beside AND o.effects && '{r,u,d}'
) AS f ON true
UNION ALL
SELECT * FROM (VALUES ('C05_permissive_beside', 'info',
    'policy %2$s of %1$s does not ask for the tenant; only restrictive policies stand against it',
    'It does no harm while the restrictive policies stay. When they go, as DROP ... CASCADE of a function they call takes them, this one opens the table.',
    'DROP FUNCTION tenant() CASCADE; SELECT count(*) FROM %1$s; -- counts the rows of all tenants',
    'DROP POLICY %2$s ON %1$s; -- or let it ask for the tenant as well',
    ARRAY['shop.orders', 'members'])) AS m
LEFT JOIN LATERAL (
    SELECT NULL::text, 'pg_policy'::regclass::oid, p.policy_id, 0, p.clause, ARRAY[p.table_name, p.name]
    FROM policy_clause AS p
    WHERE p.permissive AND NOT p.has_tenant AND p.text <> 'false' AND p.effects && '{r,u,d}'
      AND NOT EXISTS (SELECT FROM open_clause AS o WHERE o.policy_id = p.policy_id AND o.clause = p.clause)
) AS f ON true
