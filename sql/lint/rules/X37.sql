-- X37: what stays in a session for the next tenant.
UNION ALL
SELECT * FROM (VALUES ('X37_temporary_for_all', 'warning',
    'every role may make temporary objects in database %1$s (TEMPORARY for PUBLIC)',
    'A temporary table outlives the transaction: in a pooled session it carries rows of one tenant to the next, and takes the place of a real table of its name.',
    'CREATE TEMPORARY TABLE orders AS SELECT * FROM orders; -- the next tenant in this session reads it',
    'REVOKE TEMPORARY ON DATABASE %1$s FROM PUBLIC;',
    ARRAY['shop'])) AS m
LEFT JOIN LATERAL (
    -- The extension refuses them to application roles in most ways.
    SELECT CASE WHEN i.guarded THEN 'info' END, 'pg_database'::regclass::oid, s.database, 0, NULL::text, ARRAY[s.name]
    FROM server AS s CROSS JOIN installation AS i CROSS JOIN LATERAL aclexplode(coalesce(s.datacl, acldefault('d', s.datdba))) AS a
    WHERE a.grantee = 0 AND a.privilege_type = 'TEMPORARY' AND EXISTS (SELECT FROM tenant_table)
) AS f ON true
