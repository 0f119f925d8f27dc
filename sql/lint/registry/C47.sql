-- C47: the extension's own triggers.
UNION ALL
SELECT * FROM (VALUES ('C47_event_trigger_off', 'error',
    'event trigger %1$s does not fire always',
    'It protects new partitions and refuses what would open a protected table. It is to fire under session_replication_role = replica, too.',
    'ALTER TABLE orders ATTACH PARTITION ...; -- stays open',
    'ALTER EVENT TRIGGER %1$s ENABLE ALWAYS;',
    ARRAY['tenancy_ddl_end'])) AS m
LEFT JOIN LATERAL (
    SELECT NULL::text, 'pg_event_trigger'::regclass::oid, e.oid, 0, NULL::text, ARRAY[quote_ident(e.evtname)]
    FROM pg_event_trigger AS e JOIN pg_proc AS p ON p.oid = e.evtfoid
    WHERE p.pronamespace = 'tenancy'::regnamespace AND e.evtenabled <> 'A'
) AS f ON true
UNION ALL
SELECT * FROM (VALUES ('C47_trigger_off', 'error',
    'trigger %1$s of %2$s does not fire always',
    'The extension''s triggers tell sessions of revoked rights, keep the audit trail and fill tenant columns. They are to fire under session_replication_role = replica, too.',
    'SET session_replication_role = replica; ...; -- as if the trigger were not there',
    'ALTER TABLE %2$s ENABLE ALWAYS TRIGGER %1$s;',
    ARRAY['registry_changed', 'tenancy.access_grant'])) AS m
LEFT JOIN LATERAL (
    SELECT NULL::text, 'pg_trigger'::regclass::oid, g.oid, 0, NULL::text, ARRAY[quote_ident(g.tgname), format('%I.%I', n.nspname, c.relname)]
    FROM pg_trigger AS g JOIN pg_proc AS p ON p.oid = g.tgfoid JOIN pg_class AS c ON c.oid = g.tgrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE NOT g.tgisinternal AND p.pronamespace = 'tenancy'::regnamespace AND g.tgenabled <> 'A'
      AND p.proname IN ('registry_changed', 'keep_audit_event', 'fill_null_tenant')
) AS f ON true
