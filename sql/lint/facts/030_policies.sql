-- Policies, clause by clause: what each lets through (of r: SELECT, u: UPDATE, d: DELETE, i and c: the new rows
-- of INSERT and UPDATE), and whether it asks for the tenant column. Without WITH CHECK, USING is checked.
policy_text AS MATERIALIZED (
    SELECT p.oid AS policy_id, quote_ident(p.polname) AS name, p.polpermissive AS permissive, p.polroles AS roles,
           t.relid, t.name AS table_name, t.column_name, t.attnotnull, t.is_recorded, c.clause, c.effects, c.tree, c.text,
           strpos(c.tree, format(' :varattno %s ', t.attnum)) > 0 AND EXISTS (
               SELECT FROM pg_depend AS d WHERE d.classid = 'pg_policy'::regclass AND d.objid = p.oid
               AND d.refclassid = 'pg_class'::regclass AND d.refobjid = t.relid AND d.refobjsubid = t.attnum) AS has_tenant
    FROM pg_policy AS p JOIN tenant_table AS t ON t.relid = p.polrelid
    CROSS JOIN LATERAL (
        SELECT 'USING' AS clause, p.polqual::text AS tree, pg_get_expr(p.polqual, p.polrelid) AS text,
               string_to_array(CASE p.polcmd WHEN '*' THEN 'r,u,d' || CASE WHEN p.polwithcheck IS NULL THEN ',i,c' ELSE '' END
                                             WHEN 'w' THEN 'u' || CASE WHEN p.polwithcheck IS NULL THEN ',c' ELSE '' END
                                             ELSE p.polcmd::text END, ',') AS effects
        WHERE p.polqual IS NOT NULL
        UNION ALL
        SELECT 'WITH CHECK', p.polwithcheck::text, pg_get_expr(p.polwithcheck, p.polrelid),
               string_to_array(CASE p.polcmd WHEN '*' THEN 'i,c' WHEN 'w' THEN 'c' ELSE 'i' END, ',')
        WHERE p.polwithcheck IS NOT NULL) AS c
),
-- How loose a clause is that does ask for the tenant. Judged by its text: a guess, if a good one.
policy_clause AS MATERIALIZED (
    SELECT p.*, l.looseness, p.has_tenant AND l.looseness IS NULL AS binds
    FROM policy_text AS p
    -- What stands in a call's parentheses, three deep, and the column as the text has it.
    CROSS JOIN LATERAL (SELECT '(?:[^()]|\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\))*' AS inside,
                               '\m' || regexp_replace(p.column_name, '(\W)', '\\\1', 'g') || '(?!\w)' AS tenant,
                               strpos(p.text, ' OR ') > 0 AS has_or, p.tree LIKE '{BOOLEXPR :boolop or%' AS is_or) AS x
    CROSS JOIN LATERAL (
        SELECT CASE WHEN NOT p.has_tenant THEN NULL
            WHEN x.has_or AND p.text ~ '\mOR true\M|\mtrue OR\M' THEN 'or_true'
            WHEN x.has_or AND (x.is_or OR p.text ~ ('OR \(*' || x.tenant))
                 AND (strpos(p.text, ') = ''''::text)') > 0
                      OR strpos(p.tree, '{NULLTEST ') > 0 AND p.tree ~ '\{NULLTEST :arg \{(?!VAR)' AND p.text ~ 'IS NULL|NOT \(')
                THEN 'open_without_context'
            WHEN strpos(p.text, 'COALESCE(') > 0 AND p.text ~ ('COALESCE\(' || x.inside || x.tenant) THEN 'coalesced_tenant'
            WHEN strpos(p.tree, 'DISTINCTEXPR') > 0 AND strpos(p.text, 'IS DISTINCT FROM') > 0 AND NOT p.attnotnull THEN 'null_matches_null'
            WHEN x.has_or AND NOT p.attnotnull AND p.text ~ (x.tenant || ' IS NULL') THEN 'null_tenant'
            -- No call (0 is the format of one, casts have others), no role, no sub-select: nothing in it knows who asks.
            WHEN strpos(p.tree, ':funcformat 0') + strpos(p.tree, '{SQLVALUEFUNCTION') + strpos(p.tree, '{SUBLINK') = 0 THEN 'no_context'
            WHEN x.is_or AND regexp_count(p.text, '\mOR\M') >= regexp_count(p.text, x.tenant) THEN 'or_beside_tenant'
        END AS looseness
    ) AS l
),
-- What a clause lets through of other tenants' rows, because no restrictive one for the same roles stands against it.
open_clause AS MATERIALIZED (
    SELECT p.policy_id, p.name, p.permissive, p.relid, p.table_name, p.column_name, p.clause, p.text, p.tree, p.looseness, p.has_tenant,
           array_agg(e.effect) AS effects,
           string_agg(CASE e.effect WHEN 'r' THEN 'SELECT' WHEN 'u' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' WHEN 'i' THEN 'INSERT'
                      ELSE 'the new rows of UPDATE' END, ', ') AS commands,
           -- Another permissive clause for the same asks for the tenant: this one opens what that one closes.
           bool_or(EXISTS (SELECT FROM policy_clause AS o WHERE o.relid = p.relid AND o.permissive AND o.has_tenant
                           AND o.policy_id <> p.policy_id AND e.effect = ANY (o.effects))) AS is_beside
    FROM policy_clause AS p CROSS JOIN LATERAL unnest(p.effects) AS e(effect)
    WHERE NOT p.binds AND p.text <> 'false' AND (p.permissive OR p.looseness IS NOT NULL)
      AND NOT EXISTS (SELECT FROM policy_clause AS o
                      WHERE o.relid = p.relid AND NOT o.permissive AND e.effect = ANY (o.effects) AND o.policy_id <> p.policy_id
                        AND (o.roles = '{0}' OR p.roles <@ o.roles) AND (o.binds OR (o.has_tenant AND NOT p.has_tenant)))
      -- A restrictive clause that is loose does no harm where every permissive one binds.
      AND (p.permissive OR EXISTS (SELECT FROM policy_clause AS o WHERE o.relid = p.relid AND o.permissive
                                   AND e.effect = ANY (o.effects) AND NOT o.binds))
    GROUP BY p.policy_id, p.name, p.permissive, p.relid, p.table_name, p.column_name, p.clause, p.text, p.tree, p.looseness, p.has_tenant
),
