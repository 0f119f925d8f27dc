-- C07: the tenant column itself.
UNION ALL
SELECT * FROM (VALUES ('C07_tenant_nullable', 'warning',
    'tenant column %2$s of %1$s may be NULL',
    'A row without a tenant is nobody''s: no tenant''s export or erasure finds it, and a loose policy shows it to all.',
    'INSERT INTO %1$s (%2$s) VALUES (NULL);',
    'ALTER TABLE %1$s ALTER COLUMN %2$s SET NOT NULL;',
    ARRAY['shop.orders', 'tenant_id'])) AS m
LEFT JOIN LATERAL (
    SELECT NULL::text, 'pg_class'::regclass::oid, t.relid, t.attnum, NULL::text, ARRAY[t.name, t.column_name]
    FROM tenant_table AS t WHERE t.is_meant AND NOT t.attnotnull
) AS f ON true
UNION ALL
SELECT * FROM (VALUES ('C07_tenant_equality', 'error',
    'tenant column %2$s of %1$s is of a type or collation that calls different tenants equal: %3$s',
    'Values that differ, as in upper and lower case or trailing blanks, compare as equal: two such tenants see each other''s rows.',
    'SELECT ''acme'' = ''ACME''; -- in that type or collation',
    '-- ALTER TABLE %1$s ALTER COLUMN %2$s TYPE text COLLATE "C"; when no two tenants differ only so.',
    ARRAY['shop.orders', 'tenant_id', 'citext'])) AS m
LEFT JOIN LATERAL (
    SELECT NULL::text, 'pg_class'::regclass::oid, t.relid, t.attnum, NULL::text,
           ARRAY[t.name, t.column_name, y.typname || coalesce(' COLLATE ' || quote_ident(c.collname), '')]
    FROM tenant_table AS t JOIN pg_type AS y ON y.oid = t.atttypid
    LEFT JOIN pg_collation AS c ON c.oid = t.attcollation AND NOT c.collisdeterministic
    WHERE c.oid IS NOT NULL OR y.oid = 'bpchar'::regtype OR y.typname = 'citext'
) AS f ON true
UNION ALL
SELECT * FROM (VALUES ('C07_write_not_confined', 'error',
    'policy %2$s lets rows be written into other tenants of %1$s (WITH CHECK, for %3$s: %4$s)',
    'USING says which rows are seen, WITH CHECK which may come out of a command. An explicit WITH CHECK takes the place of USING: without the tenant in it, rows are planted in other tenants, or moved there. (Without WITH CHECK, USING is checked, and nothing is open.)',
    'UPDATE %1$s SET %5$s = ''<another tenant>''; -- passes',
    '-- ALTER POLICY %2$s ON %1$s WITH CHECK (...): compare %5$s with the tenant of the session.',
    ARRAY['shop.orders', 'tenant', 'INSERT', 'true', 'tenant_id'])) AS m
LEFT JOIN LATERAL (
    SELECT NULL::text, 'pg_policy'::regclass::oid, o.policy_id, 0, NULL::text, ARRAY[o.table_name, o.name, o.commands, o.text, o.column_name]
    FROM open_clause AS o WHERE o.clause = 'WITH CHECK' AND o.permissive AND NOT o.has_tenant
) AS f ON true
