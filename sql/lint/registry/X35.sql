-- X35: contexts that outlive a transaction.
UNION ALL
SELECT * FROM (VALUES ('X35_session_grant', 'info',
    'role %1$s may keep a tenant for a whole session',
    'Behind a pooler that hands a session to the next client after each transaction, the next client works for the tenant of the one before.',
    'SELECT tenancy.enter(''acme'', scope => ''session''); -- then another client''s transaction in this session',
    'SELECT tenancy.grant_access(%2$L::regrole, %3$L, %4$L, %5$L, %6$L);',
    ARRAY['shop_app', 'shop_app', '*', 'read_write', '2027-01-01', 'the application'])) AS m
LEFT JOIN LATERAL (
    SELECT NULL::text, 'pg_authid'::regclass::oid, r.oid, 0, coalesce(g.tenant_id::text, '*'),
           ARRAY[r.name, r.name, coalesce(g.tenant_id::text, '*'), g.mode, g.valid_until::text, g.reason]
    FROM tenancy.access_grant AS g JOIN role AS r ON r.oid = g.role_oid AND r.rolname = g.role_name
    WHERE g.session_scope AND coalesce(g.valid_until > now(), true)
) AS f ON true
