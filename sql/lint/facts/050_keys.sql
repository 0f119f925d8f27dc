-- Unique and exclusion keys of tenants' tables; those of partitions stand for nothing of their own.
tenant_key AS MATERIALIZED (
    SELECT i.indexrelid, i.indrelid, i.indisprimary, i.indisexclusion, quote_ident(c.relname) AS name,
           t.attnum = ANY (i.indkey::int2[]) AS has_tenant,
           i.indnkeyatts = 1 AND coalesce(a.atttypid = 'uuid'::regtype OR i.indisprimary AND a.atttypid IN (
               'bigint'::regtype, 'integer'::regtype, 'smallint'::regtype), false) AS is_surrogate,
           a.atttypid = 'uuid'::regtype AS is_uuid, coalesce(a.attidentity = 'a', false) AS is_always_generated
    FROM pg_index AS i
    JOIN pg_class AS c ON c.oid = i.indexrelid
    JOIN tenant_table AS t ON t.relid = i.indrelid
    LEFT JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
    WHERE (i.indisunique OR i.indisexclusion) AND NOT EXISTS (SELECT FROM pg_inherits AS h WHERE h.inhrelid = i.indexrelid)
),
foreign_key AS MATERIALIZED (
    SELECT k.oid, k.conname, k.conrelid, k.confrelid, k.conkey, k.confkey, k.convalidated, k.confdeltype, k.confupdtype, age(k.xmin) AS age
    FROM pg_constraint AS k CROSS JOIN unnest((SELECT '{1}'::integer[])) AS one
    WHERE k.contype = 'f' AND k.conparentid = 0
),
-- Foreign keys from tenants' tables to tenants' tables.
tenant_reference AS MATERIALIZED (
    SELECT k.oid AS constraint_id, quote_ident(k.conname) AS name, c.name AS child_name, p.name AS parent_name,
           k.convalidated, k.age, c.owner_bypasses AS child_owner_bypasses,
           c.relid AS child, p.relid AS parent, c.secured AND c.forced AS child_is_forced, p.secured AND p.forced AS parent_is_forced,
           k.confdeltype NOT IN ('a', 'r') OR k.confupdtype NOT IN ('a', 'r') AS acts,
           EXISTS (SELECT FROM unnest(k.conkey, k.confkey) AS pair(own, other)
                   WHERE pair.own = c.attnum AND pair.other = p.attnum) AS pairs_tenants,
           CASE WHEN i.extension AND c.is_recorded AND p.is_recorded THEN c.protect
                ELSE format('ALTER TABLE %2$s ADD UNIQUE (%5$s); ALTER TABLE %1$s DROP CONSTRAINT %3$I, ADD CONSTRAINT %3$I FOREIGN KEY (%4$s) REFERENCES %2$s (%5$s)%6$s;',
                            c.name, p.name, k.conname,
                            (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY n.place)
                             FROM unnest(c.attnum || k.conkey) WITH ORDINALITY AS n(number, place)
                             JOIN pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = n.number),
                            (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY n.place)
                             FROM unnest(p.attnum || k.confkey) WITH ORDINALITY AS n(number, place)
                             JOIN pg_attribute AS a ON a.attrelid = k.confrelid AND a.attnum = n.number),
                            CASE k.confdeltype WHEN 'c' THEN ' ON DELETE CASCADE' ELSE '' END) END AS fix
    FROM foreign_key AS k
    JOIN tenant_table AS c ON c.relid = k.conrelid JOIN tenant_table AS p ON p.relid = k.confrelid
    CROSS JOIN installation AS i
),
