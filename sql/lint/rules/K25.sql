-- K25: actions of foreign keys reach other tenants.
UNION ALL
SELECT * FROM (VALUES ('K25_action_across_tenants', 'error',
    'foreign key %3$s of %1$s changes rows of other tenants when a row of %2$s goes or changes',
    'ON DELETE and ON UPDATE actions run without row security. Where a key does not pair the tenant columns, a child may belong to another tenant than its parent, and is deleted or changed with it.',
    'DELETE FROM %2$s WHERE ...; -- deletes or changes rows of another tenant in %1$s',
    '%4$s',
    ARRAY['shop.orders', 'shop.customers', 'orders_customer_id_fkey', 'SELECT tenancy.protect(''shop.orders'', ''tenant_id'');'])) AS m
LEFT JOIN LATERAL (
    SELECT NULL::text, 'pg_constraint'::regclass::oid, k.constraint_id, 0, NULL::text, ARRAY[k.child_name, k.parent_name, k.name, k.fix]
    FROM tenant_reference AS k WHERE NOT k.pairs_tenants AND k.acts
) AS f ON true
