-- K23: keys over all tenants answer whether another tenant has a value.
UNION ALL
SELECT * FROM (VALUES ('K23_global_key', 'warning',
    'key %3$s of %1$s is unique over all tenants',
    'A unique key does not obey row security: an INSERT of a value that another tenant has fails, and ON CONFLICT DO NOTHING answers INSERT 0 0. So a tenant asks, value by value, what others have.',
    'INSERT INTO %1$s (...) VALUES (...) ON CONFLICT DO NOTHING; -- "INSERT 0 0": another tenant has it',
    '%4$s',
    ARRAY['shop.users', 'tenant_id', 'users_email_key', 'SELECT tenancy.protect(''shop.users'', ''tenant_id'', harden_keys => ''keys'');'])) AS m
LEFT JOIN LATERAL (
    SELECT NULL::text, 'pg_class'::regclass::oid, k.indexrelid, 0, NULL::text,
           ARRAY[t.name, t.column_name, k.name,
                 CASE WHEN n.extension AND t.is_recorded AND NOT k.indisexclusion
                      THEN format('SELECT tenancy.protect(%L, %L, harden_keys => ''keys'');', t.name, t.attname)
                      ELSE format('-- Put %s first in the key.', t.column_name) END]
    FROM tenant_table AS t JOIN tenant_key AS k ON k.indrelid = t.relid CROSS JOIN installation AS n
    WHERE NOT k.has_tenant AND NOT k.is_surrogate
) AS f ON true
UNION ALL
SELECT * FROM (VALUES ('K23_numbered_key', 'info',
    'key %2$s of %1$s is one number for all tenants',
    'Numbers are guessed: an INSERT with an explicit number tells whether any tenant has it, and taking numbers in advance makes the INSERTs of others fail.',
    'INSERT INTO %1$s (id) VALUES (42) ON CONFLICT DO NOTHING; -- "INSERT 0 0": another tenant has it',
    '-- A uuid as key cannot be guessed. GENERATED ALWAYS AS IDENTITY refuses explicit numbers.',
    ARRAY['shop.orders', 'orders_pkey'])) AS m
LEFT JOIN LATERAL (
    SELECT NULL::text, 'pg_class'::regclass::oid, k.indexrelid, 0, NULL::text, ARRAY[t.name, k.name]
    FROM tenant_table AS t JOIN tenant_key AS k ON k.indrelid = t.relid
    WHERE NOT k.has_tenant AND k.is_surrogate AND NOT k.is_uuid AND NOT k.is_always_generated
) AS f ON true
