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
UNION ALL
SELECT * FROM (VALUES ('K24_constraint_switched_off', 'error',
    'constraint %2$s is not checked when %1$s is written: triggers of it are disabled',
    'Foreign keys are triggers inside. ALTER TABLE ... DISABLE TRIGGER ALL, as pg_restore --disable-triggers gives it, switches them off too: rows that refer to another tenant''s, or to none, are accepted.',
    'INSERT INTO %1$s (...) VALUES (<a key that no row has>); -- passes',
    '%3$s -- rows that were written meanwhile stay unchecked: look for them',
    ARRAY['shop.orders', 'orders_customer_id_fkey', 'ALTER TABLE shop.orders ENABLE TRIGGER "RI_ConstraintTrigger_c_16401";'])) AS m
LEFT JOIN LATERAL (
    SELECT NULL::text, 'pg_constraint'::regclass::oid, k.oid, 0, t.name,
           ARRAY[t.name, quote_ident(k.conname),
                 string_agg(format('ALTER TABLE %s ENABLE TRIGGER %I;', t.name, g.tgname), ' ' ORDER BY g.tgname)]
    FROM pg_trigger AS g JOIN pg_constraint AS k ON k.oid = g.tgconstraint JOIN tenant_table AS t ON t.relid = g.tgrelid
    WHERE g.tgisinternal AND g.tgenabled NOT IN ('O', 'A')
    GROUP BY k.oid, k.conname, t.name
) AS f ON true
