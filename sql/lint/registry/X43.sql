-- X43: the catalog is readable by all.
UNION ALL
SELECT * FROM (VALUES ('X43_tenant_in_a_name', 'info',
    '%1$s %2$s is named after tenant %3$s',
    'Names of roles, schemas, tables and databases are shown to every role: they tell who the other customers are.',
    'SELECT nspname FROM pg_namespace UNION SELECT rolname FROM pg_roles; -- as any role',
    '-- Name it after the tenant''s id: ALTER %4$s %2$s RENAME TO ...',
    ARRAY['schema', 'tenant_acme', 'acme', 'SCHEMA'])) AS m
LEFT JOIN LATERAL (
    SELECT NULL::text, x.class, x.object, 0, NULL::text, ARRAY[lower(x.kind), quote_ident(x.name), t.slug, x.kind]
    FROM (SELECT 'SCHEMA' AS kind, 'pg_namespace'::regclass::oid AS class, n.oid AS object, n.nspname::text AS name FROM pg_namespace AS n
          UNION ALL SELECT 'ROLE', 'pg_authid'::regclass, r.oid, r.rolname FROM role AS r
          UNION ALL SELECT 'DATABASE', 'pg_database'::regclass, d.oid, d.datname FROM pg_database AS d
          UNION ALL SELECT 'TABLE', 'pg_class'::regclass, r.relid, r.relname FROM relation AS r) AS x
    -- The whole name, or what follows or precedes its first underscore.
    CROSS JOIN LATERAL (SELECT DISTINCT replace(p, '_', '-') AS part
                        FROM unnest(ARRAY[x.name, substr(x.name, strpos(x.name, '_') + 1), split_part(x.name, '_', 1)]) AS p) AS p
    JOIN tenancy.tenant AS t ON t.slug = p.part
    WHERE length(t.slug) > 3
) AS f ON true
