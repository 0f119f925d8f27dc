-- O22: policies that look elsewhere.
UNION ALL
SELECT * FROM (VALUES ('O22_subselect', 'warning',
    'policy %2$s of %1$s asks another table: %3$s',
    'A sub-select in a policy sees the state at the start of the statement: while a membership is being taken away, a statement that waited for a lock still counts it. Tables whose policies ask each other end in recursion.',
    'UPDATE %1$s ...; -- waits for a lock while the membership goes, and passes',
    '-- ALTER POLICY %2$s ON %1$s: compare columns of the row with what the session carries.',
    ARRAY['shop.orders', 'members', '(tenant_id IN ( SELECT m.tenant_id FROM members m ...))'])) AS m
LEFT JOIN LATERAL (
    SELECT NULL::text, 'pg_policy'::regclass::oid, p.policy_id, 0, p.clause, ARRAY[p.table_name, p.name, p.text]
    FROM policy_clause AS p WHERE strpos(p.tree, '{SUBLINK') > 0 AND p.text ~ '\n *FROM '
) AS f ON true
UNION ALL
SELECT * FROM (VALUES ('O22_forgeable_membership', 'error',
    'policy %2$s of %1$s asks %3$s, which %4$s may write, and which has no row security',
    'Whoever may write the table that a policy asks makes himself a member of any tenant.',
    'INSERT INTO %3$s ... -- as %4$s: and sees that tenant''s rows',
    'REVOKE INSERT, UPDATE ON %3$s FROM %4$s; -- or protect it, too',
    ARRAY['shop.orders', 'members', 'shop.membership', 'shop_app'])) AS m
LEFT JOIN LATERAL (
    SELECT NULL::text, 'pg_policy'::regclass::oid, p.policy_id, 0, r.name, ARRAY[p.table_name, p.name, r.name, string_agg(DISTINCT g.grantee_name, ', ')]
    FROM policy_clause AS p
    JOIN pg_depend AS d ON d.classid = 'pg_policy'::regclass AND d.objid = p.policy_id AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> p.relid
    JOIN relation AS r ON r.relid = d.refobjid AND r.relkind IN ('r', 'p') AND NOT r.secured
    JOIN relation_grant AS g ON g.relid = r.relid AND g.privilege IN ('INSERT', 'UPDATE')
    GROUP BY p.policy_id, p.table_name, p.name, r.name
) AS f ON true
