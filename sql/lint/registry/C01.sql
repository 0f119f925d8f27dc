-- C01: the record of protected tables, and what the tables carry.
UNION ALL
SELECT * FROM (VALUES ('C01_protection_gone', 'error',
    '%1$s is recorded as protected, and carries no policy of tenancy.protect()',
    'The catalog is the truth: nothing confines a tenant in this table. Guards were off, or the table was made anew, when its policies went.',
    'SELECT count(*) FROM %1$s; -- in the context of one tenant: counts the rows of all',
    'SELECT tenancy.protect(%2$L, %3$L);',
    ARRAY['shop.orders', 'shop.orders', 'tenant_id'])) AS m
LEFT JOIN LATERAL (
    SELECT NULL::text, 'pg_class'::regclass::oid, t.relid, 0, NULL::text, ARRAY[t.name, t.name, t.attname]
    FROM tenant_table AS t WHERE t.is_recorded AND (tenancy.protection(t.relid)).tenant_column IS NULL
) AS f ON true
UNION ALL
SELECT * FROM (VALUES ('C01_protection_unrecorded', 'warning',
    '%1$s carries the policies of tenancy.protect(), and is not recorded',
    'Erasing a tenant deletes its rows in recorded tables alone: those in this one would stay. It is so after a restore of the schema without the rows of the extension.',
    'SELECT * FROM tenancy.protected_table; -- without %1$s',
    'SELECT * FROM tenancy.sync();',
    ARRAY['shop.orders'])) AS m
LEFT JOIN LATERAL (
    SELECT NULL::text, 'pg_class'::regclass::oid, t.relid, 0, NULL::text, ARRAY[t.name]
    FROM tenant_table AS t
    WHERE NOT t.is_recorded AND t.secured AND (tenancy.protection(t.relid)).complete
      AND tenancy.protected_root(t.relid) IS NULL
) AS f ON true
