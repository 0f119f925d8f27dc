-- Who may call and read what: nobody anything, but for this list, which a test compares with the
-- catalog. Writing is for functions alone.

-- What ALTER DEFAULT PRIVILEGES gave to others is taken back first. What conditions and defaults of
-- protected tables call keeps the rights it was made with, which are EXECUTE for PUBLIC: PostgreSQL asks
-- for them with every statement, and takes several times as long over a list of the function's own.
DO $$
DECLARE
    v_called CONSTANT text := '^(current|default)_tenant_(id|external_.*)$';
    v_statement text;
BEGIN
    FOR v_statement IN
        WITH routine AS (
            SELECT p.oid, p.proowner, p.proacl, p.proname ~ v_called AS is_called
            FROM pg_proc AS p WHERE p.pronamespace = 'tenancy'::regnamespace
        ), object (name, owner, rights) AS (
            SELECT 'SCHEMA tenancy', n.nspowner, n.nspacl FROM pg_namespace AS n WHERE n.oid = 'tenancy'::regnamespace
            UNION ALL
            SELECT CASE c.relkind WHEN 'S' THEN 'SEQUENCE ' ELSE 'TABLE ' END || c.oid::regclass, c.relowner, c.relacl
            FROM pg_class AS c WHERE c.relnamespace = 'tenancy'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
            UNION ALL
            SELECT 'ROUTINE ' || r.oid::regprocedure, r.proowner, coalesce(r.proacl, acldefault('f', r.proowner))
            FROM routine AS r WHERE r.proacl IS NOT NULL OR NOT r.is_called
        )
        SELECT DISTINCT format('REVOKE ALL ON %s FROM %s', o.name, coalesce(nullif(a.grantee, 0)::regrole::text, 'PUBLIC'))
        FROM object AS o CROSS JOIN LATERAL aclexplode(o.rights) AS a WHERE a.grantee <> o.owner
    LOOP
        EXECUTE v_statement;
    END LOOP;
    FOR v_statement IN
        SELECT format('GRANT EXECUTE ON FUNCTION %s TO PUBLIC', p.oid::regprocedure) FROM pg_proc AS p
        WHERE p.pronamespace = 'tenancy'::regnamespace AND p.proacl IS NOT NULL
          AND p.proname ~ v_called
    LOOP
        EXECUTE v_statement;
    END LOOP;
END
$$;

-- Reading follows membership in the cluster's roles. No policies here that would ask for the row in
-- tenancy.operator too: pg_dump writes policies of an extension's tables out again, and the restore
-- would fail on them. Who must not read this database's registry has no CONNECT to the database.
GRANT SELECT ON
    tenancy.tier, tenancy.tenant, tenancy.tenant_tombstone, tenancy.tenant_alias, tenancy.operator,
    tenancy.audit_event, tenancy.scheduled_action, tenancy.onboarding_step, tenancy.tenant_onboarding,
    tenancy.onboarding_progress, tenancy.setting_definition, tenancy.setting_value, tenancy.erasure_count,
    tenancy.instance, tenancy.daemon, tenancy.store, tenancy.store_collection, tenancy.tenant_store,
    tenancy.store_mark, tenancy.store_status, tenancy.unknown_object, tenancy.store_condition, tenancy.store_alarm
TO tenancy_admin, tenancy_auditor;
GRANT SELECT ON tenancy.transition, tenancy.error_code TO PUBLIC;
GRANT USAGE ON SCHEMA tenancy TO PUBLIC;

-- Read by everybody: each looks only at the caller, or at the tenant of the caller's context.
GRANT EXECUTE ON FUNCTION tenancy.is_operator(text[]), tenancy.setting(text) TO PUBLIC;

-- Application roles get it from an admin.
GRANT EXECUTE ON FUNCTION tenancy.resolve(text, text) TO tenancy_admin WITH GRANT OPTION;

GRANT EXECUTE ON FUNCTION
    tenancy.tenant_id(text),
    tenancy.tenant_settings(text),
    tenancy.instance_identity(),
    tenancy.status_report(),
    tenancy.store_lag(),
    tenancy.is_wanted(text, timestamptz) -- in the views, and of no use otherwise
TO tenancy_admin, tenancy_auditor, tenancy_sidecar;

GRANT EXECUTE ON FUNCTION
    tenancy.run_schedule(integer),
    tenancy.run_onboarding(text),
    tenancy.complete_onboarding_step(text, text),
    tenancy.bind_instance(text, bigint),
    tenancy.tick_instance(text, text, bigint),
    tenancy.require_instance(uuid),
    tenancy.daemon_stores(),
    tenancy.report_store(text, bigint, text, jsonb),
    tenancy.claim_work(text, bigint, text, integer, interval, boolean),
    tenancy.extend_leases(text, text, bigint[], interval),
    tenancy.release_work(text, text, bigint[]),
    tenancy.report_work(text, bigint, text, jsonb),
    tenancy.desired_page(text, uuid, integer),
    tenancy.request_repair(text, bigint, text, uuid[]),
    tenancy.report_unknown(text, bigint, text, text, jsonb, boolean, bigint, bigint)
TO tenancy_admin, tenancy_sidecar;

GRANT EXECUTE ON FUNCTION
    tenancy.provision(text, text, text, jsonb, text, uuid),
    tenancy.set_display_name(text, text, bigint),
    tenancy.add_alias(text, text, text, bigint),
    tenancy.remove_alias(text, text, text, bigint),
    tenancy.define_tier(text, text, jsonb),
    tenancy.remove_tier(text),
    tenancy.set_tier(text, text, bigint),
    tenancy.suspend(text, text, bigint),
    tenancy.resume(text, bigint),
    tenancy.set_read_only(text, text, bigint),
    tenancy.archive(text, text, bigint),
    tenancy.request_erasure(text, text, interval, bigint),
    tenancy.cancel_erasure(text, bigint),
    tenancy.schedule(text, text, timestamptz, text),
    tenancy.cancel_schedule(bigint),
    tenancy.define_onboarding_step(text, integer, text, text, regprocedure, text, text),
    tenancy.remove_onboarding_step(text, text),
    tenancy.skip_onboarding_step(text, text, text),
    tenancy.define_setting(text, jsonb, jsonb, boolean, text),
    tenancy.remove_setting(text),
    tenancy.set_setting(text, text, jsonb, bigint),
    tenancy.unset_setting(text, text, bigint),
    tenancy.add_operator(regrole, text),
    tenancy.remove_operator(regrole, text),
    tenancy.define_store(text, text, text[], text, text, jsonb, text, text, text),
    tenancy.forget_store(text, text),
    tenancy.retry_store(text, text, boolean),
    tenancy.define_collection(text, text, jsonb, jsonb),
    tenancy.remove_collection(text, text),
    -- Steps of the procedures, which run as their invoker.
    tenancy.check_drainable(text, text, interval),
    tenancy.require_top_level(text),
    tenancy.await_writers(uuid, boolean, interval, boolean),
    tenancy.begin_erasure(text, integer),
    tenancy.erasure_tables(uuid),
    tenancy.erase_batch(uuid, regclass, integer),
    tenancy.finish_erasure(uuid),
    tenancy.check_awaited(text, interval),
    tenancy.stores_reached(uuid, timestamptz, text)
TO tenancy_admin;
GRANT EXECUTE ON PROCEDURE
    tenancy.drain(text, text, interval),
    tenancy.erase(text, integer, interval),
    tenancy.await_stores(text, interval)
TO tenancy_admin;

-- The context. Each checks by itself what the caller may do.
GRANT EXECUTE ON FUNCTION
    tenancy.enter(text, text), tenancy.switch(text), tenancy.enter_all(text),
    tenancy.current_tenant(), tenancy.current_actor(), tenancy.context()
TO PUBLIC;
GRANT EXECUTE ON PROCEDURE tenancy.for_each_tenant(text, text) TO PUBLIC;

GRANT EXECUTE ON FUNCTION
    tenancy.grant_access(regrole, text, text, timestamptz, text, boolean, boolean),
    tenancy.revoke_access(regrole, text),
    tenancy.add_signing_key(text, text, text, text, text[], interval, text, jsonb, interval),
    tenancy.remove_signing_key(text, text),
    tenancy.revoke_token(text, text, timestamptz),
    tenancy.allow_lookup(regclass, name[], regrole)
TO tenancy_admin;

-- Without signing_key.jwk, which may be a shared secret.
GRANT SELECT (issuer, kid, algorithm, audience, all_tenants, max_lifetime, leeway, default_mode, tenant_claim,
              actor_claim, mode_claim, role_claim, alias_kind, added_by, added_at)
    ON tenancy.signing_key TO tenancy_admin, tenancy_auditor;
GRANT SELECT ON
    tenancy.access_grant, tenancy.signing_key_tenant, tenancy.token_revocation, tenancy.bypass_role,
    tenancy.protected_table, tenancy.shared_table, tenancy.exempt_table, tenancy.job_progress
TO tenancy_admin, tenancy_auditor;

-- The guards. Each names only what is the caller's own tenant's.
GRANT EXECUTE ON FUNCTION
    tenancy.channel(text), tenancy.notify(text, text),
    tenancy.advisory_xact_lock(bigint, boolean), tenancy.advisory_xact_lock(text, boolean),
    tenancy.try_advisory_xact_lock(bigint, boolean), tenancy.try_advisory_xact_lock(text, boolean)
TO PUBLIC;
GRANT EXECUTE ON FUNCTION
    tenancy.grant_explain(regrole, timestamptz, text), tenancy.revoke_explain(regrole),
    tenancy.trust_function(regprocedure, text), tenancy.distrust_function(text)
TO tenancy_admin;
GRANT SELECT ON tenancy.explain_grant, tenancy.trusted_function TO tenancy_admin, tenancy_auditor;
-- Isolation. Whoever owns a table may protect it: the functions ask.
GRANT EXECUTE ON FUNCTION
    tenancy.protect(regclass, name, name, text, boolean, regrole, text),
    tenancy.protect_plan(regclass, name, name, text, boolean, regrole, text, text),
    tenancy.fill_tenant_column(regclass, name, name, bigint, integer),
    tenancy.unprotect(regclass),
    tenancy.share(regclass, text),
    tenancy.unshare(regclass),
    tenancy.exempt(regclass, text),
    tenancy.unexempt(regclass),
    -- Called by owners of tables, as a trigger.
    tenancy.fill_null_tenant()
TO PUBLIC;
GRANT EXECUTE ON FUNCTION tenancy.protection(regclass) TO tenancy_admin, tenancy_auditor;
GRANT EXECUTE ON FUNCTION
    tenancy.sync(),
    tenancy.unknown_tenants(regclass),
    tenancy.register_bypass(regrole, text, timestamptz),
    tenancy.unregister_bypass(regrole)
TO tenancy_admin;

-- The linter. Each asks for an operator.
GRANT EXECUTE ON FUNCTION tenancy.check_isolation(boolean), tenancy.isolation_rules() TO tenancy_admin, tenancy_auditor;
GRANT EXECUTE ON FUNCTION
    tenancy.suppress_finding(text, text, text, timestamptz), tenancy.unsuppress_finding(text, text)
TO tenancy_admin;
GRANT SELECT ON tenancy.finding_suppression TO tenancy_admin, tenancy_auditor;

-- Assertions. Those that work on a table ask whether the caller owns it; those that do not tell what the catalog tells.
GRANT EXECUTE ON FUNCTION
    tenancy.why_unprotected(regclass),
    tenancy.try_isolation(regclass, jsonb, text, regrole),
    tenancy.pgtap_path(),
    tenancy.tap_line(boolean, text, text),
    tenancy.tap_protected(regclass),
    tenancy.tap_isolated(regclass, jsonb, text, regrole),
    tenancy.tap_no_findings(text)
TO PUBLIC;
