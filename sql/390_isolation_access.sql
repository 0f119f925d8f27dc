-- Who may call what of the isolation part. Whoever owns a table may protect it: the functions ask.
DO $access$
DECLARE
    routine regprocedure;
BEGIN
    FOR routine IN
        SELECT p.oid FROM pg_proc AS p
        WHERE p.pronamespace = 'tenancy'::regnamespace AND p.proacl IS NULL AND p.proname = ANY (ARRAY[
            'run_as_owner', 'run_function_as_owner', 'internal_ddl_runs', 'internal_query_runs', 'protection',
            'fill_null_tenant', 'qualified_name', 'require_table_rights', 'table_tree', 'protected_root',
            'installation', 'change_table', 'key_kind_of', 'context_function', 'check_protectable', 'index_name',
            'column_names', 'column_list', 'unique_index_on', 'index_led_by', 'ensure_unique_index',
            'ensure_leading_index', 'foreign_keys_to_harden', 'refuse_foreign_key', 'prepared_key_name',
            'replace_foreign_key', 'lend_references', 'harden_foreign_keys', 'soften_foreign_keys',
            'unique_keys_to_harden', 'harden_unique_constraint', 'harden_unique_index', 'harden_unique_keys',
            'revoke_privilege', 'revoke_table_privileges', 'revoke_sequence_privileges', 'policy_definition',
            'is_own_policy', 'settle_existing_policies', 'create_policies', 'enable_row_security', 'protect_member',
            'knows_tenant', 'count_unknown_tenants', 'report_unknown_tenants', 'unknown_tenants', 'via_key',
            'add_tenant_column', 'fill_tenant_column', 'require_filled', 'require_not_null', 'add_fill_trigger',
            'check_protect_options', 'give_table', 'protect', 'protect_descendants', 'plan_index', 'plan_column',
            'plan_keys', 'protect_plan', 'undo_steps', 'strip_policies', 'unprotect', 'share', 'unshare', 'exempt',
            'unexempt', 'forget_dropped_tables', 'sync', 'count_rows', 'has_key_for', 'clear_references',
            'erase_from_leaf', 'erase_rows', 'register_bypass', 'unregister_bypass', 'guard_is_off', 'check_ddl_end',
            'notice_unprotected', 'check_ddl_drop'])
    LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', routine);
    END LOOP;
END
$access$;

GRANT EXECUTE ON FUNCTION
    tenancy.protect(regclass, name, name, text, boolean, regrole, text),
    tenancy.protect_plan(regclass, name, name, text, boolean, regrole, text, text),
    tenancy.fill_tenant_column(regclass, name, name, integer),
    tenancy.unprotect(regclass),
    tenancy.share(regclass, text),
    tenancy.unshare(regclass),
    tenancy.exempt(regclass, text),
    tenancy.unexempt(regclass),
    -- Called by owners of tables: as a trigger, and inside tenancy.unknown_tenants() alone.
    tenancy.fill_null_tenant(),
    tenancy.knows_tenant(text, text)
TO PUBLIC;
GRANT EXECUTE ON FUNCTION tenancy.protection(regclass) TO tenancy_admin, tenancy_auditor;
GRANT EXECUTE ON FUNCTION
    tenancy.sync(),
    tenancy.unknown_tenants(regclass),
    tenancy.register_bypass(regrole, text, timestamptz),
    tenancy.unregister_bypass(regrole)
TO tenancy_admin;
GRANT SELECT ON tenancy.protected_table, tenancy.shared_table, tenancy.exempt_table, tenancy.bypass_role
TO tenancy_admin, tenancy_auditor;
