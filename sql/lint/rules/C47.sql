-- C47: triggers and event triggers that are silent.
UNION ALL
SELECT * FROM (VALUES ('C47_replica_role', 'error',
    'session_replication_role is %3$s for %1$s',
    'Under replica, triggers and foreign keys do not work but for those that are ENABLE ALWAYS: what fills, checks and records rows is left out.',
    'SHOW session_replication_role; -- %3$s',
    '%2$s RESET session_replication_role;',
    ARRAY['role etl', 'ALTER ROLE etl', 'replica'])) AS m
LEFT JOIN LATERAL (
    SELECT NULL::text, s.class, s.object, 0, s.detail, ARRAY[s.place, s.command, s.value]
    FROM stored_setting AS s WHERE s.name = 'session_replication_role' AND s.value <> 'origin'
) AS f ON true
UNION ALL
SELECT * FROM (VALUES ('C47_parameter_privilege', 'error',
    '%2$s may set %1$s, which takes protection away',
    'These parameters are for superusers because they switch off triggers, guards or the library itself. GRANT SET ON PARAMETER gives them to others.',
    'SET %1$s = ...; -- as %2$s',
    'REVOKE SET, ALTER SYSTEM ON PARAMETER %1$s FROM %2$s;',
    ARRAY['session_replication_role', 'shop_app'])) AS m
LEFT JOIN LATERAL (
    SELECT NULL::text, 'pg_parameter_acl'::regclass::oid, p.oid, 0, coalesce(g.rolname::text, 'PUBLIC'), ARRAY[p.parname, coalesce(g.name, 'PUBLIC')]
    FROM pg_parameter_acl AS p CROSS JOIN LATERAL aclexplode(p.paracl) AS a LEFT JOIN role AS g ON g.oid = a.grantee
    WHERE (p.parname IN ('session_replication_role', 'session_preload_libraries', 'shared_preload_libraries', 'lo_compat_privileges')
           OR p.parname ~ '^tenancy\.') AND NOT coalesce(g.rolsuper, false)
      AND a.grantee <> 10 -- the first superuser, who has it written there by the first GRANT
    GROUP BY p.oid, p.parname, g.rolname, g.name
) AS f ON true
