-- K24: foreign keys do not obey row security.
UNION ALL
SELECT * FROM (VALUES ('K24_reference_without_tenant', 'error',
    'foreign key %3$s of %1$s accepts rows of other tenants in %2$s',
    'The check of a foreign key sees all rows. A key that does not pair the tenant columns accepts another tenant''s parent, and tells whether it exists.',
    'INSERT INTO %1$s (...) VALUES (<key of another tenant''s row in %2$s>); -- passes',
    '%4$s',
    ARRAY['shop.orders', 'shop.customers', 'orders_customer_id_fkey', 'SELECT tenancy.protect(''shop.orders'', ''tenant_id'');'])) AS m
LEFT JOIN LATERAL (
    SELECT NULL::text, 'pg_constraint'::regclass::oid, k.constraint_id, 0, NULL::text, ARRAY[k.child_name, k.parent_name, k.name, k.fix]
    FROM tenant_reference AS k WHERE NOT k.pairs_tenants
) AS f ON true
