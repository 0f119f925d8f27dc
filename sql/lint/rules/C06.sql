-- C06: loose expressions. Every rule takes the clauses that nothing else confines.
UNION ALL
SELECT * FROM (VALUES ('C06_policy_without_tenant', 'error',
    'policy %2$s of %1$s does not ask for the tenant (%3$s: %4$s)',
    'No other policy of the table asks for the tenant either: whoever the expression is true for sees the rows of all tenants.',
    'SELECT count(*) FROM %1$s; -- in the context of one tenant: counts the rows of all',
    '-- ALTER POLICY %2$s ON %1$s: compare %5$s with the tenant of the session.',
    ARRAY['shop.orders', 'everybody', 'USING, for SELECT', 'true', 'tenant_id'])) AS m
LEFT JOIN LATERAL (
    -- One that asks for something else of the row may be meant so: rows of a user, for instance.
    SELECT CASE WHEN o.tree ~ '\{VAR ' THEN 'warning' END, 'pg_policy'::regclass::oid, o.policy_id, 0, o.clause,
           ARRAY[o.table_name, o.name, o.clause || ', for ' || o.commands, o.text, o.column_name]
    FROM open_clause AS o
    WHERE o.permissive AND NOT o.has_tenant AND NOT o.is_beside AND o.effects && '{r,u,d}'
      AND NOT EXISTS (SELECT FROM policy_clause AS p WHERE p.relid = o.relid AND p.has_tenant)
) AS f ON true
-- What makes each loose is found with the policies (facts/030_policies.sql), under the name of the rule.
UNION ALL
SELECT * FROM (VALUES
('C06_or_true', 'error',
    'policy %2$s of %1$s says OR true: %3$s',
    'What is true in any case confines nobody. It is often left over from a search for an error.',
    'SELECT count(*) FROM %1$s; -- in the context of one tenant: counts the rows of all',
    '-- ALTER POLICY %2$s ON %1$s: leave OR true out.',
    ARRAY['shop.orders', 'tenant', '((tenant_id = tenant()) OR true)']),
('C06_open_without_context', 'error',
    'policy %2$s of %1$s is true where no tenant is set: %3$s',
    'A session that has set no tenant sees all rows: one that forgot to, and one that was made to reset it.',
    'RESET app.tenant; SELECT count(*) FROM %1$s; -- counts the rows of all tenants',
    '-- ALTER POLICY %2$s ON %1$s: leave the alternative out; a missing tenant then shows no rows.',
    ARRAY['shop.orders', 'tenant', '((current_setting(''app.tenant'', true) IS NULL) OR (tenant_id = ...))']),
('C06_coalesced_tenant', 'error',
    'policy %2$s of %1$s replaces the tenant column, or is replaced by it, in COALESCE: %3$s',
    'tenant_id = COALESCE(setting, tenant_id) is true for every row where no tenant is set; COALESCE(tenant_id, setting) is true for every row without a tenant. Neither can use an index.',
    'RESET app.tenant; SELECT count(*) FROM %1$s; -- counts the rows of all tenants',
    '-- ALTER POLICY %2$s ON %1$s: compare the column itself with the tenant of the session.',
    ARRAY['shop.orders', 'tenant', '(tenant_id = COALESCE(tenant(), tenant_id))']),
('C06_null_matches_null', 'error',
    'policy %2$s of %1$s lets NULL match NULL: %3$s',
    'With IS NOT DISTINCT FROM a session without a tenant sees the rows without one. They are nobody''s, and often everybody''s past.',
    'RESET app.tenant; SELECT * FROM %1$s; -- shows the rows whose %4$s is NULL',
    'ALTER TABLE %1$s ALTER COLUMN %4$s SET NOT NULL; -- and compare with =',
    ARRAY['shop.orders', 'tenant', '(NOT (tenant_id IS DISTINCT FROM tenant()))', 'tenant_id']),
('C06_null_tenant', 'warning',
    'policy %2$s of %1$s shows rows without a tenant to every tenant: %3$s',
    'Rows that are meant for all belong into a table of their own: here one forgotten value publishes a row to everybody.',
    'INSERT INTO %1$s (%4$s) VALUES (NULL); -- every tenant sees it',
    '-- Move these rows to a table for all tenants, then ALTER TABLE %1$s ALTER COLUMN %4$s SET NOT NULL.',
    ARRAY['shop.products', 'tenant', '((tenant_id IS NULL) OR (tenant_id = tenant()))', 'tenant_id']),
('C06_no_context', 'error',
    'policy %2$s of %1$s does not depend on who asks: %3$s',
    'It calls no function, reads no setting and names no role, so it is true for the same rows whoever asks.',
    'SELECT count(*) FROM %1$s; -- the same number for every tenant',
    '-- ALTER POLICY %2$s ON %1$s: compare the tenant column with the tenant of the session.',
    ARRAY['shop.orders', 'tenant', '(tenant_id IS NOT NULL)']),
('C06_or_beside_tenant', 'warning',
    'policy %2$s of %1$s has alternatives that do not ask for the tenant: %3$s',
    'Rows for which another alternative is true are seen by every tenant. That may be meant (published rows); whoever may write that column decides it.',
    'SELECT * FROM %1$s; -- in the context of one tenant: shows others'' rows, too',
    '-- If that is meant, suppress this with the reason; else ALTER POLICY %2$s ON %1$s.',
    ARRAY['shop.orders', 'tenant', '((tenant_id = tenant()) OR is_public)'])
) AS m(rule, severity, message, why, demonstration, fix, example)
LEFT JOIN LATERAL (
    SELECT NULL::text, 'pg_policy'::regclass::oid, o.policy_id, 0, o.clause, ARRAY[o.table_name, o.name, o.text, o.column_name]
    FROM open_clause AS o WHERE 'C06_' || o.looseness = m.rule
) AS f ON true
UNION ALL
SELECT * FROM (VALUES ('C06_editable_claim', 'error',
    'policy %2$s of %1$s trusts user_metadata, which users edit themselves: %3$s',
    'user_metadata in a token of Supabase is what the user last wrote there. app_metadata is for decisions about rights.',
    'supabase.auth.updateUser({ data: { tenant: ''globex'' } }) // then log in again',
    '-- ALTER POLICY %2$s ON %1$s: read app_metadata, or a table that users cannot write.',
    ARRAY['shop.orders', 'tenant', '(tenant_id = (((auth.jwt() -> ''user_metadata'') ->> ''tenant''))::uuid)'])) AS m
LEFT JOIN LATERAL (
    SELECT NULL::text, 'pg_policy'::regclass::oid, p.policy_id, 0, p.clause, ARRAY[p.table_name, p.name, p.text]
    FROM policy_clause AS p WHERE p.text ~ '\m(raw_)?user_meta_?data\M'
) AS f ON true
