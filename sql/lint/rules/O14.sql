-- O14: rules run with the rights of the owner of their table.
UNION ALL
SELECT * FROM (VALUES ('O14_rule_as_owner', 'error',
    'rule %1$s of %2$s works on %3$s with the rights of %4$s, whom no policy of it binds',
    'What a rule adds to a command runs as the owner of the table or view that has the rule, security_invoker or not: whoever may run the command reads or changes all tenants'' rows through it.',
    'INSERT INTO %2$s ...; -- in the context of one tenant: the rule works on the rows of all',
    'DROP RULE %1$s ON %2$s; -- a trigger runs as whoever gave the command',
    ARRAY['log', 'shop.requests', 'shop.orders', 'postgres'])) AS m
LEFT JOIN LATERAL (
    SELECT NULL::text, 'pg_rewrite'::regclass::oid, w.oid, 0, t.name, ARRAY[quote_ident(w.rulename), r.name, t.name, r.owner_name]
    FROM pg_rewrite AS w JOIN relation AS r ON r.relid = w.ev_class
    JOIN (SELECT DISTINCT d.objid, d.refobjid FROM pg_depend AS d
          WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass) AS d ON d.objid = w.oid
    LEFT JOIN view_reaches AS x ON x.reader = d.refobjid
    JOIN tenant_table AS t ON t.relid IN (d.refobjid, x.tenant_table)
    WHERE w.rulename <> '_RETURN' AND t.relid <> w.ev_class AND (r.owner_bypasses OR (r.owner = t.owner AND t.is_open_to_owner))
) AS f ON true
