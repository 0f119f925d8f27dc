-- K52: foreign keys that are called valid and were not seen to be.
UNION ALL
SELECT * FROM (VALUES ('K52_not_validated', 'warning',
    'foreign key %1$s of %2$s was never validated',
    'NOT VALID keys check new rows only: rows that refer to another tenant''s row, or to none, may be there from before.',
    'SELECT * FROM %2$s AS c WHERE NOT EXISTS (SELECT FROM %3$s AS p WHERE ...); -- as a role with BYPASSRLS',
    '-- ALTER TABLE %2$s VALIDATE CONSTRAINT %1$s; as a role with BYPASSRLS: under forced row security PostgreSQL sees only a part of the rows and calls the key valid.',
    ARRAY['orders_customer_fkey', 'shop.orders', 'shop.customers'])) AS m
LEFT JOIN LATERAL (
    SELECT NULL::text, 'pg_constraint'::regclass::oid, k.constraint_id, 0, NULL::text, ARRAY[k.name, k.child_name, k.parent_name]
    FROM tenant_reference AS k WHERE NOT k.convalidated
) AS f ON true
UNION ALL
SELECT * FROM (VALUES ('K52_validated_under_policies', 'info',
    'foreign key %1$s of %2$s is younger than the forced policies of %3$s: it counts as valid, and hidden rows may violate it',
    'A foreign key is validated by a query of the table''s owner, and forced policies hide rows from the owner, too: what was hidden was not checked, and the key is marked as valid.',
    'SELECT * FROM %2$s AS c WHERE NOT EXISTS (SELECT FROM %3$s AS p WHERE ...); -- as a role with BYPASSRLS',
    '-- Look for violations as a role with BYPASSRLS; if there are none, suppress this with that reason.',
    ARRAY['orders_customer_fkey', 'shop.orders', 'shop.orders'])) AS m
LEFT JOIN LATERAL (
    -- Only where nothing validates keys with all rows in view, as the extension does.
    SELECT NULL::text, 'pg_constraint'::regclass::oid, k.constraint_id, 0, NULL::text,
           ARRAY[k.name, k.child_name, CASE WHEN x.child_is_older THEN k.child_name ELSE k.parent_name END]
    FROM tenant_reference AS k CROSS JOIN installation AS i
    CROSS JOIN LATERAL (
        SELECT k.child_is_forced AND EXISTS (SELECT FROM pg_policy AS p WHERE p.polrelid = k.child AND age(p.xmin) > k.age) AS child_is_older,
               k.parent_is_forced AND EXISTS (SELECT FROM pg_policy AS p WHERE p.polrelid = k.parent AND age(p.xmin) > k.age) AS parent_is_older
    ) AS x
    WHERE k.convalidated AND NOT i.guarded AND NOT k.child_owner_bypasses AND (x.child_is_older OR x.parent_is_older)
) AS f ON true
