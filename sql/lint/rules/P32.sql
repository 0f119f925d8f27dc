-- P32: what is said never to change is computed once.
UNION ALL
SELECT * FROM (VALUES ('P32_immutable_context', 'error',
    'function %1$s is IMMUTABLE and reads who asks (%2$s)',
    'PostgreSQL calls an IMMUTABLE function once, when it plans. A prepared statement, and every function in PL/pgSQL, then goes on with the tenant that was set at that time.',
    'PREPARE q AS SELECT * FROM orders; EXECUTE q; -- in another tenant''s context: shows the first one''s rows',
    'ALTER FUNCTION %1$s STABLE;',
    ARRAY['shop.tenant()', 'current_setting'])) AS m
LEFT JOIN LATERAL (
    SELECT NULL::text, 'pg_proc'::regclass::oid, p.oid, 0, NULL::text,
           ARRAY[format('%I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)), split_part(x.word, '(', 1)]
    FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace JOIN pg_language AS l ON l.oid = p.prolang
    -- Settings of one's own have a point in their name; others do not tell who asks.
    CROSS JOIN LATERAL (
        SELECT substring(lower(coalesce(pg_get_function_sqlbody(p.oid), p.prosrc)) FROM
            '\mcurrent_setting\s*\(\s*(?:''[^'']*\.[^'']*''|''(?:role|session_authorization)''|[^''\s])|\m(?:session_user|current_user|current_role|tenancy\.(?:current|default|context|setting)\w*)\M') AS word
    ) AS x
    WHERE p.provolatile = 'i' AND l.lanname NOT IN ('c', 'internal') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'tenancy')
      AND x.word IS NOT NULL
      AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
) AS f ON true
