-- C03: roles that work for all tenants.
UNION ALL
SELECT * FROM (VALUES ('C03_grant_to_unbound_role', 'error',
    'role %1$s may enter tenants, and no policy binds it (%2$s)',
    'A grant for an application says that the role works for one tenant at a time. Policies and guards do not hold it to that.',
    'SELECT count(*) FROM orders; -- as %1$s: counts the rows of all tenants',
    'ALTER ROLE %1$s NOSUPERUSER NOBYPASSRLS;',
    ARRAY['shop_app', 'superuser'])) AS m
LEFT JOIN LATERAL (
    SELECT NULL::text, 'pg_authid'::regclass::oid, r.oid, 0, NULL::text, ARRAY[r.name, CASE WHEN r.rolsuper THEN 'superuser' ELSE 'BYPASSRLS' END]
    FROM role AS r WHERE r.bypasses AND r.oid IN (SELECT g.role_oid FROM tenancy.access_grant AS g WHERE g.role_name = r.rolname)
) AS f ON true
UNION ALL
SELECT * FROM (VALUES ('C03_registration_ended', 'warning',
    'the registration of %1$s to work for all tenants ended at %2$s',
    'The role still has BYPASSRLS. The extension stops it at protected tables; nothing stops it at others.',
    'SET ROLE %1$s; SELECT tenancy.enter_all(''...''); -- refused',
    'SELECT tenancy.unregister_bypass(%3$L::regrole); -- and ALTER ROLE %1$s NOBYPASSRLS, or register it anew',
    ARRAY['report', '2026-01-01 00:00:00+00', 'report'])) AS m
LEFT JOIN LATERAL (
    SELECT NULL::text, 'pg_authid'::regclass::oid, r.oid, 0, NULL::text, ARRAY[r.name, b.valid_until::text, r.name]
    FROM tenancy.bypass_role AS b JOIN role AS r ON r.oid = b.role_oid AND r.rolname = b.role_name WHERE b.valid_until <= now()
) AS f ON true
