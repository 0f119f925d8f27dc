-- What pg_dump carries: rows that users made. Rows of transition and error_code come with the
-- extension's script. The tier that the script makes is dumped too, and replaces itself on restore.
-- Of the stores: the instance, by which a copy is known to be one, the definitions, and what each store
-- last showed (leases in it run out, and end at the latest when the copy is bound). Not what means
-- nothing elsewhere: which daemons live, how stores and scans are right now (daemon, store_status,
-- unknown_object), and which tenants are to be looked at (store_mark): binding a copy marks them all.
DO $dump$
DECLARE
    carried text;
BEGIN
    FOREACH carried IN ARRAY ARRAY['tier', 'tenant', 'tenant_tombstone', 'tenant_alias', 'access_grant', 'signing_key',
        'signing_key_tenant', 'token_revocation', 'operator', 'bypass_role', 'protected_table', 'shared_table',
        'exempt_table', 'audit_event', 'scheduled_action', 'onboarding_step', 'tenant_onboarding', 'setting_definition',
        'setting_value', 'erasure_count', 'job_progress', 'explain_grant', 'trusted_function', 'finding_suppression', 'instance', 'store', 'store_collection', 'tenant_store', 'store_lease_seq',
        'access_grant_id_seq', 'audit_event_seq_seq', 'scheduled_action_id_seq']
    LOOP
        PERFORM pg_extension_config_dump(format('tenancy.%I', carried)::regclass, '');
    END LOOP;
END
$dump$;
