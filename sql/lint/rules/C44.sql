-- C44: whoever may give roles to himself.
UNION ALL
SELECT * FROM (VALUES ('C44_createrole', 'error',
    'role %1$s has CREATEROLE, which before PostgreSQL 16 gives it every role but superusers',
    'It may grant itself any role that is no superuser, those with BYPASSRLS and the owners of the tables included, and set their passwords.',
    'GRANT report TO %1$s; SET ROLE report; SELECT count(*) FROM orders; -- as %1$s',
    'ALTER ROLE %1$s NOCREATEROLE;',
    ARRAY['shop_admin'])) AS m
LEFT JOIN LATERAL (
    SELECT NULL::text, 'pg_authid'::regclass::oid, r.oid, 0, NULL::text, ARRAY[r.name]
    FROM role AS r CROSS JOIN server AS s
    WHERE s.version < 160000 AND r.rolcreaterole AND NOT r.bypasses
      AND EXISTS (SELECT FROM becomes AS b JOIN bound_login AS l ON l.oid = b.role WHERE b.target = r.oid)
) AS f ON true
UNION ALL
SELECT * FROM (VALUES ('C44_admin_option', 'error',
    'role %1$s may grant %2$s to anybody, itself included',
    'ADMIN OPTION on a role that policies do not bind is that role: one GRANT away.',
    'GRANT %2$s TO %1$s; SET ROLE %2$s; SELECT count(*) FROM orders; -- as %1$s',
    'REVOKE ADMIN OPTION FOR %2$s FROM %1$s;',
    ARRAY['shop_admin', 'report'])) AS m
LEFT JOIN LATERAL (
    SELECT NULL::text, 'pg_authid'::regclass::oid, h.oid, 0, x.rolname::text, ARRAY[h.name, x.name]
    FROM membership AS m JOIN role AS h ON h.oid = m.member JOIN role AS x ON x.oid = m.role
    WHERE m.admin_option AND NOT h.bypasses AND x.bypasses AND x.oid NOT IN (SELECT a.role FROM allowed_bypass AS a)
) AS f ON true
