-- Facts: what rules ask about, the same for both. Relations of extensions are theirs.
role AS MATERIALIZED (
    SELECT r.oid, r.rolname, quote_ident(r.rolname) AS name, r.rolsuper, r.rolbypassrls,
           r.rolsuper OR r.rolbypassrls AS bypasses, r.rolcanlogin, r.rolcreaterole, r.rolreplication
    FROM pg_roles AS r
),
-- A row says: the member can become the role (SET ROLE), or has its rights at once. 16 made both options.
membership AS MATERIALIZED (
    SELECT m.member, m.roleid AS role, m.admin_option,
           coalesce((to_jsonb(m) ->> 'set_option')::boolean, true) AS can_set,
           coalesce((to_jsonb(m) ->> 'inherit_option')::boolean, r.rolinherit) AS can_inherit
    FROM pg_auth_members AS m JOIN pg_roles AS r ON r.oid = m.member
),
-- Whom a role that policies bind can become by SET ROLE, over any number of steps.
becomes(role, target) AS (
    SELECT r.oid, r.oid FROM role AS r WHERE NOT r.bypasses
    UNION
    SELECT b.role, m.role FROM becomes AS b JOIN membership AS m ON m.member = b.target WHERE m.can_set
),
-- Whose rights it has or can take.
holds(role, target) AS (
    SELECT r.oid, r.oid FROM role AS r WHERE NOT r.bypasses
    UNION
    SELECT h.role, m.role FROM holds AS h JOIN membership AS m ON m.member = h.target WHERE m.can_set OR m.can_inherit
),
relation AS MATERIALIZED (
    SELECT c.oid AS relid, c.relname, c.relkind, c.relowner AS owner, o.name AS owner_name, o.bypasses AS owner_bypasses,
           c.relrowsecurity AS secured, c.relforcerowsecurity AS forced, c.relacl, c.reloptions, c.relnamespace AS schema,
           format('%I.%I', n.nspname, c.relname) AS name
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace JOIN role AS o ON o.oid = c.relowner
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND c.relpersistence <> 't'
      AND n.nspname NOT IN ('information_schema', 'tenancy') AND n.nspname !~ '^pg_'
      AND NOT EXISTS (SELECT FROM pg_depend AS d
                      WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
),
-- Tables whose rows belong to tenants: recorded as such, or with a column of that name.
tenant_table AS MATERIALIZED (
    SELECT DISTINCT ON (r.relid) r.*, a.attnum, a.attname, quote_ident(a.attname) AS column_name, a.attnotnull,
           a.atttypid, a.attcollation, k.relid IS NOT NULL AS is_recorded,
           k.relid IS NOT NULL OR r.secured OR EXISTS (SELECT FROM pg_policy AS p WHERE p.polrelid = r.relid) AS is_meant,
           -- Whether the owner reads all rows.
           r.owner_bypasses OR NOT (r.secured AND r.forced) AS is_open_to_owner,
           CASE WHEN i.extension THEN format('SELECT tenancy.protect(%L, %L);', r.name, a.attname)
                ELSE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY; -- and a policy for %I', r.name, a.attname)
           END AS protect
    FROM relation AS r
    CROSS JOIN installation AS i
    JOIN pg_attribute AS a ON a.attrelid = r.relid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN recorded AS k ON k.relid = r.relid
    WHERE r.relkind IN ('r', 'p')
      AND CASE WHEN k.relid IS NULL THEN a.attname IN (SELECT name FROM tenant_column) ELSE a.attname = k.tenant_column END
      AND NOT EXISTS (SELECT FROM set_aside AS s WHERE s.relid = r.relid)
    ORDER BY r.relid, a.attnum
),
inheritance AS MATERIALIZED (
    SELECT i.inhrelid AS child, i.inhparent AS parent FROM pg_inherits AS i JOIN relation AS r ON r.relid = i.inhrelid
),
-- What was granted on tables and views to others than their owners and superusers; 0 is PUBLIC.
relation_grant AS MATERIALIZED (
    SELECT r.relid, a.grantee, a.privilege_type AS privilege,
           CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE g.name END AS grantee_name
    FROM relation AS r CROSS JOIN LATERAL aclexplode(r.relacl) AS a LEFT JOIN role AS g ON g.oid = a.grantee
    WHERE a.grantee <> r.owner AND NOT coalesce(g.rolsuper, false)
),
-- Which views read which tables, views and functions directly.
view_reads AS MATERIALIZED (
    SELECT DISTINCT w.ev_class AS reader, d.refclassid AS class, d.refobjid AS object
    FROM pg_rewrite AS w
    JOIN relation AS v ON v.relid = w.ev_class AND v.relkind IN ('v', 'm')
    JOIN pg_depend AS d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid AND d.deptype = 'n'
    WHERE w.ev_type = '1' AND d.refobjid <> w.ev_class AND d.refclassid IN ('pg_class'::regclass, 'pg_proc'::regclass)
),
-- Functions whose body the server has parsed (BEGIN ATOMIC) depend on what they read.
function_reads AS MATERIALIZED (
    SELECT DISTINCT d.objid AS reader, d.refclassid AS class, d.refobjid AS object
    FROM pg_depend AS d
    WHERE d.classid = 'pg_proc'::regclass AND d.deptype = 'n' AND d.refclassid IN ('pg_class'::regclass, 'pg_proc'::regclass)
),
-- Which views reach which tenants' tables, over any number of views.
view_reaches(reader, tenant_table) AS (
    SELECT x.reader, t.relid FROM view_reads AS x JOIN tenant_table AS t ON t.relid = x.object AND x.class = 'pg_class'::regclass
    UNION
    SELECT x.reader, y.tenant_table FROM view_reads AS x JOIN view_reaches AS y ON y.reader = x.object AND x.class = 'pg_class'::regclass
),
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
-- Foreign keys from tenants' tables to tenants' tables.
tenant_reference AS MATERIALIZED (
    SELECT k.oid AS constraint_id, quote_ident(k.conname) AS name, c.name AS child_name, p.name AS parent_name,
           k.convalidated, c.relid AS child, p.relid AS parent,
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
    FROM pg_constraint AS k
    JOIN tenant_table AS c ON c.relid = k.conrelid JOIN tenant_table AS p ON p.relid = k.confrelid
    CROSS JOIN installation AS i
    WHERE k.contype = 'f' AND k.conparentid = 0
),
-- SECURITY DEFINER functions that somebody else may call, or that triggers call.
definer AS MATERIALIZED (
    SELECT p.oid, format('%I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)) AS name,
           p.prorettype, p.proowner AS owner, o.name AS owner_name, o.bypasses AS owner_bypasses, p.prosrc,
           NOT o.bypasses AND p.proowner NOT IN (SELECT t.owner FROM tenant_table AS t) AS is_harmless_owner,
           p.prosqlbody IS NOT NULL AS is_parsed, CASE p.prokind WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END AS kind,
           (SELECT substr(c, 13) FROM unnest(p.proconfig) AS c WHERE c LIKE 'search\_path=%') AS search_path
    FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace JOIN role AS o ON o.oid = p.proowner
    WHERE p.prosecdef AND n.nspname NOT IN ('information_schema', 'tenancy') AND n.nspname !~ '^pg_'
      AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
      AND (p.prorettype = 'trigger'::regtype OR EXISTS (
          SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS a
          LEFT JOIN role AS g ON g.oid = a.grantee
          WHERE a.grantee <> p.proowner AND NOT coalesce(g.rolsuper, false)))
),
function_reaches(reader, tenant_table) AS (
    SELECT x.reader, t.relid FROM function_reads AS x JOIN tenant_table AS t ON x.class = 'pg_class'::regclass AND t.relid = x.object
    UNION
    SELECT x.reader, v.tenant_table FROM function_reads AS x JOIN view_reaches AS v ON x.class = 'pg_class'::regclass AND v.reader = x.object
    UNION
    SELECT x.reader, y.tenant_table FROM function_reads AS x JOIN function_reaches AS y ON x.class = 'pg_proc'::regclass AND y.reader = x.object
),
-- What they read: known where the server has parsed the body; of texts, the names in them.
definer_reads AS MATERIALIZED (
    SELECT d.oid AS reader, x.tenant_table, false AS is_guess
    FROM definer AS d JOIN function_reaches AS x ON x.reader = d.oid
    UNION ALL
    SELECT DISTINCT d.oid, t.relid, true
    FROM definer AS d
    CROSS JOIN LATERAL regexp_matches(lower(d.prosrc), '[[:alpha:]_][[:alnum:]_$]*', 'g') AS word
    JOIN tenant_table AS t ON lower(t.relname) = word[1]
    WHERE NOT d.is_parsed
),
finding AS (
    SELECT NULL::text AS rule, NULL::text AS severity, NULL::text AS message, NULL::text AS why, NULL::text AS demonstration,
           NULL::text AS fix, NULL::text[] AS example, NULL::text AS other_severity,
           NULL::oid AS class, NULL::oid AS object, NULL::integer AS part, NULL::text AS detail, NULL::text[] AS arguments
    WHERE false
