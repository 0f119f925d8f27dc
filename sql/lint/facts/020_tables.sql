-- Relations, and which of them are tenants' tables. Those of extensions are the extensions' own. The cross join
-- with one row makes the planner expect more of them: where nobody has analyzed the catalog yet, it expects so
-- few that it joins facts by comparing each with each.
relation AS MATERIALIZED (
    SELECT c.oid AS relid, c.relname, c.relkind, c.relowner AS owner, o.name AS owner_name, o.bypasses AS owner_bypasses,
           c.relrowsecurity AS secured, c.relforcerowsecurity AS forced, c.relacl, c.reloptions, c.relnamespace AS schema,
           format('%I.%I', n.nspname, c.relname) AS name
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace JOIN role AS o ON o.oid = c.relowner
    CROSS JOIN unnest((SELECT '{1}'::integer[])) AS one
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND c.relpersistence <> 't'
      AND n.nspname NOT IN ('information_schema', 'tenancy') AND n.nspname !~ '^pg_'
      AND NOT EXISTS (SELECT FROM pg_depend AS d
                      WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
),
-- Tables whose rows belong to tenants: recorded as such, or with a column of that name.
tenant_table AS MATERIALIZED (
    SELECT DISTINCT ON (r.relid) r.*, a.attnum, a.attname, quote_ident(a.attname) AS column_name, a.attnotnull,
           a.atttypid, a.attcollation, k.relid IS NOT NULL AS is_recorded,
           -- Somebody meant to protect it.
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
-- What was granted on relations, or on columns of theirs, to others than their owners and superusers; 0 is PUBLIC.
relation_grant AS MATERIALIZED (
    SELECT DISTINCT r.relid, a.grantee, a.privilege_type AS privilege, CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE g.name END AS grantee_name
    FROM relation AS r
    CROSS JOIN LATERAL (SELECT r.relacl AS acl UNION ALL
                        SELECT c.attacl FROM pg_attribute AS c WHERE c.attrelid = r.relid AND c.attnum > 0 AND c.attacl IS NOT NULL) AS l
    CROSS JOIN LATERAL aclexplode(l.acl) AS a LEFT JOIN role AS g ON g.oid = a.grantee
    WHERE a.grantee <> r.owner AND NOT coalesce(g.rolsuper, false)
),
