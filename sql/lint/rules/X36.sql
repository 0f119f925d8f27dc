-- X36: what a setting is after SET LOCAL.
UNION ALL
SELECT * FROM (VALUES ('X36_empty_setting', 'info',
    'policy %2$s of %1$s casts a setting that may be an empty text: %3$s',
    'After a transaction with SET LOCAL, a setting of one''s own is '''' in that session, no longer unset: the cast raises an error where no rows were meant. It is closed, and it breaks pooled sessions.',
    'BEGIN; SET LOCAL app.tenant = ''...''; COMMIT; SELECT * FROM %1$s; -- ERROR: invalid input syntax',
    '-- ALTER POLICY %2$s ON %1$s: NULLIF(current_setting(..., true), '''') in front of the cast.',
    ARRAY['shop.orders', 'tenant', '(tenant_id = (current_setting(''app.tenant'', true))::uuid)'])) AS m
LEFT JOIN LATERAL (
    SELECT NULL::text, 'pg_policy'::regclass::oid, p.policy_id, 0, p.clause, ARRAY[p.table_name, p.name, p.text]
    FROM policy_clause AS p WHERE p.text LIKE '%(current_setting(''%''::text, true))::%' AND p.text ~ '\(current_setting\(''[^'']+''::text, true\)\)::(uuid|integer|bigint|numeric)'
) AS f ON true
