-- O20: sequences count what all tenants insert.
UNION ALL
SELECT * FROM (VALUES ('O20_sequence_privilege', 'warning',
    '%3$s has %4$s on sequence %1$s of %2$s',
    'SELECT shows how far the sequence is: how many rows all tenants have inserted. UPDATE sets it: an INSERT of another tenant then fails, or no number is left.',
    'SELECT last_value FROM %1$s; -- as %3$s: counts the rows of all tenants',
    'REVOKE %4$s ON SEQUENCE %1$s FROM %3$s;',
    ARRAY['shop.orders_id_seq', 'shop.orders', 'shop_app', 'SELECT'])) AS m
LEFT JOIN LATERAL (
    SELECT NULL::text, 'pg_class'::regclass::oid, s.relid, 0, g.privilege || ' ' || g.grantee_name, ARRAY[s.name, t.name, g.grantee_name, g.privilege]
    FROM relation AS s
    JOIN pg_depend AS d ON d.classid = 'pg_class'::regclass AND d.objid = s.relid AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
    JOIN tenant_table AS t ON t.relid = d.refobjid JOIN relation_grant AS g ON g.relid = s.relid
    WHERE s.relkind = 'S' AND g.privilege IN ('SELECT', 'UPDATE')
) AS f ON true
UNION ALL
SELECT * FROM (VALUES ('O20_number_for_all', 'info',
    'column %2$s of %1$s counts the rows of all tenants in one sequence',
    'The gaps between a tenant''s own numbers are the rows of the others: how many, and when.',
    'INSERT INTO %1$s ... RETURNING %2$s; -- twice: the difference is what others inserted',
    '-- A uuid as key tells nothing. Numbers that people see: count them per tenant, in a table of their own.',
    ARRAY['shop.orders', 'id'])) AS m
LEFT JOIN LATERAL (
    SELECT NULL::text, 'pg_class'::regclass::oid, t.relid, a.attnum, NULL::text, ARRAY[t.name, quote_ident(a.attname)]
    FROM pg_depend AS d JOIN relation AS s ON s.relid = d.objid AND s.relkind = 'S'
    JOIN tenant_table AS t ON t.relid = d.refobjid JOIN pg_attribute AS a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
    WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
) AS f ON true
