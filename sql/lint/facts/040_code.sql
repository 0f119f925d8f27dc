-- Views and functions, and what they read.
-- Which views read which tables, views and functions directly.
view_reads AS MATERIALIZED (
    SELECT DISTINCT w.ev_class AS reader, d.refclassid AS class, d.refobjid AS object
    FROM pg_rewrite AS w
    JOIN relation AS v ON v.relid = w.ev_class AND v.relkind IN ('v', 'm')
    JOIN pg_depend AS d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid AND d.deptype = 'n'
    WHERE w.ev_type = '1' AND d.refobjid <> w.ev_class AND d.refclassid IN ('pg_class'::regclass, 'pg_proc'::regclass)
),
invoker_view AS MATERIALIZED (
    SELECT v.relid FROM relation AS v
    WHERE v.relkind = 'v' AND v.reloptions && ARRAY['security_invoker=true', 'security_invoker=on', 'security_invoker=1', 'security_invoker=yes']
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
-- Which views read which materialized views for whoever may read them, over any number of views.
materialized_reads(reader, materialized) AS (
    SELECT x.reader, m.relid
    FROM view_reads AS x JOIN relation AS m ON x.class = 'pg_class'::regclass AND m.relid = x.object AND m.relkind = 'm'
    WHERE x.reader NOT IN (SELECT v.relid FROM invoker_view AS v)
    UNION
    SELECT x.reader, y.materialized
    FROM view_reads AS x JOIN materialized_reads AS y ON x.class = 'pg_class'::regclass AND y.reader = x.object
    WHERE x.reader NOT IN (SELECT v.relid FROM invoker_view AS v)
),
-- Views that read tenants' tables as their owner, and whether policies bind that owner.
view_as_owner AS MATERIALIZED (
    SELECT v.relid, v.name, v.owner_name, t.name AS table_name, v.owner_bypasses OR (v.owner = t.owner AND t.is_open_to_owner) AS bypasses
    FROM view_reads AS x JOIN relation AS v ON v.relid = x.reader JOIN tenant_table AS t ON t.relid = x.object
    WHERE x.class = 'pg_class'::regclass AND v.relkind = 'v' AND v.relid NOT IN (SELECT i.relid FROM invoker_view AS i)
),
user_trigger AS MATERIALIZED (
    SELECT g.oid, quote_ident(g.tgname) AS name, g.tgrelid, g.tgfoid FROM pg_trigger AS g WHERE NOT g.tgisinternal AND g.tgparentid = 0
),
-- SECURITY DEFINER functions.
definer AS MATERIALIZED (
    SELECT p.oid, format('%I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)) AS name,
           p.prorettype, l.lanname AS language, p.proowner AS owner, o.name AS owner_name, o.bypasses AS owner_bypasses, p.prosrc,
           NOT o.bypasses AND p.proowner NOT IN (SELECT t.owner FROM tenant_table AS t) AS is_harmless_owner,
           p.prosqlbody IS NOT NULL AS is_parsed, CASE p.prokind WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END AS kind,
           (SELECT substr(c, 13) FROM unnest(p.proconfig) AS c WHERE c LIKE 'search\_path=%') AS search_path,
           -- By others than the owner and superusers, or as a part of an aggregate, whose owner is asked for the right to it.
           EXISTS (SELECT FROM (SELECT p.oid UNION ALL
                                SELECT g.aggfnoid FROM pg_aggregate AS g
                                WHERE p.oid IN (g.aggtransfn, g.aggfinalfn, g.aggcombinefn, g.aggserialfn, g.aggdeserialfn,
                                                g.aggmtransfn, g.aggminvtransfn, g.aggmfinalfn)) AS way
                   JOIN pg_proc AS c ON c.oid = way.oid
                   CROSS JOIN LATERAL aclexplode(coalesce(c.proacl, acldefault('f', c.proowner))) AS a LEFT JOIN role AS g ON g.oid = a.grantee
                   WHERE a.grantee <> p.proowner AND NOT coalesce(g.rolsuper, false)) AS is_callable
    FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace JOIN role AS o ON o.oid = p.proowner
    JOIN pg_language AS l ON l.oid = p.prolang
    WHERE p.prosecdef AND n.nspname NOT IN ('information_schema', 'tenancy') AND n.nspname !~ '^pg_'
      AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
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
-- Functions in triggers, checks, defaults, policies, rules and index expressions of relations.
attached_code AS MATERIALIZED (
    SELECT DISTINCT x.relid, x.what, p.oid AS function, p.proowner AS owner, o.name AS owner_name, o.rolsuper AS owner_is_superuser,
           format('%I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)) AS function_name
    FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace JOIN role AS o ON o.oid = p.proowner
    JOIN pg_depend AS d ON d.refclassid = 'pg_proc'::regclass AND d.refobjid = p.oid
    JOIN LATERAL (
        SELECT t.tgrelid AS relid, 'trigger' AS what FROM pg_trigger AS t WHERE d.classid = 'pg_trigger'::regclass AND t.oid = d.objid AND NOT t.tgisinternal
        UNION ALL
        SELECT k.conrelid, 'check' FROM pg_constraint AS k WHERE d.classid = 'pg_constraint'::regclass AND k.oid = d.objid AND k.conrelid <> 0
        UNION ALL
        SELECT a.adrelid, 'default' FROM pg_attrdef AS a WHERE d.classid = 'pg_attrdef'::regclass AND a.oid = d.objid
        UNION ALL
        SELECT w.ev_class, 'rule' FROM pg_rewrite AS w JOIN pg_class AS c ON c.oid = w.ev_class
        WHERE d.classid = 'pg_rewrite'::regclass AND w.oid = d.objid AND c.relkind IN ('r', 'p')
        UNION ALL
        SELECT y.polrelid, 'policy' FROM pg_policy AS y WHERE d.classid = 'pg_policy'::regclass AND y.oid = d.objid
        UNION ALL
        SELECT i.indrelid, 'index' FROM pg_index AS i WHERE d.classid = 'pg_class'::regclass AND i.indexrelid = d.objid
    ) AS x ON true
    WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'tenancy')
),
