-- X58: who chooses the tenant.
UNION ALL
SELECT * FROM (VALUES ('X58_any_tenant_grant', 'warning',
    'role %1$s logs in and may enter any tenant (grant of ''*'')',
    'The application is the authority then: whoever can send a whole query string of his own, by code he gets to run or a password he finds, chooses the tenant. With a token for each request nobody but its issuer does.',
    'SELECT tenancy.enter(''globex''); SELECT * FROM orders; -- as %1$s',
    '-- Let the application enter with tokens (docs/how-to/sign-tokens.md), then SELECT tenancy.revoke_access(%2$L::regrole, ''*''); else suppress this with the reason.',
    ARRAY['shop_app', 'shop_app'])) AS m
LEFT JOIN LATERAL (
    SELECT NULL::text, 'pg_authid'::regclass::oid, r.oid, 0, NULL::text, ARRAY[r.name, r.name]
    FROM tenancy.access_grant AS g JOIN role AS r ON r.oid = g.role_oid AND r.rolname = g.role_name
    WHERE g.tenant_id IS NULL AND coalesce(g.valid_until > now(), true) AND r.rolcanlogin
) AS f ON true
UNION ALL
SELECT * FROM (VALUES ('X58_test_mode', 'error',
    'tenancy.test_mode is on for %1$s%2$s',
    'It lets a transaction go from one tenant to the next, which is for test suites alone: injected SQL could, too.',
    'SELECT tenancy.switch(''globex''); -- in the middle of acme''s transaction',
    '%3$s',
    ARRAY['the database', ', and store cache is attached', 'ALTER DATABASE shop RESET tenancy.test_mode;'])) AS m
LEFT JOIN LATERAL (
    SELECT CASE WHEN o.name IS NULL THEN 'warning' END, s.class, s.object, 0, s.detail,
           ARRAY[s.place, ', and store ' || o.name || ' is attached', s.fix]
    FROM (SELECT s.class, s.object, s.detail, s.place, s.command || ' RESET tenancy.test_mode;' AS fix
          FROM stored_setting AS s WHERE s.name = 'tenancy.test_mode' AND s.value IN ('on', 'true', 'yes', '1')
          UNION ALL
          SELECT 'pg_database'::regclass, d.database, 'tenancy.test_mode of the server', 'the server', '-- Take tenancy.test_mode out of postgresql.conf.'
          FROM pg_file_settings AS s CROSS JOIN server AS d
          WHERE s.name = 'tenancy.test_mode' AND s.applied AND s.setting IN ('on', 'true', 'yes', '1')) AS s
    LEFT JOIN (SELECT min(x.name) AS name FROM tenancy.store AS x) AS o ON true
) AS f ON true
UNION ALL
SELECT * FROM (VALUES ('X58_stored_context', 'error',
    'a tenant is set for %1$s (tenancy.context)',
    'A stored tenant is nobody''s choice at the time. The extension refuses such settings; this one was made without it, and sessions that begin without the library do not refuse it.',
    'SELECT setconfig FROM pg_db_role_setting; -- as any role: the tenant, or a token',
    '%2$s RESET tenancy.context;',
    ARRAY['role shop_app', 'ALTER ROLE shop_app'])) AS m
LEFT JOIN LATERAL (
    SELECT NULL::text, s.class, s.object, 0, s.detail, ARRAY[s.place, s.command]
    FROM stored_setting AS s WHERE s.name = 'tenancy.context'
) AS f ON true
