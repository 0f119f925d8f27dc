-- The context: who is speaking. C++: pg_extension/src/context.

CREATE FUNCTION tenancy.enter(tenant text, scope text DEFAULT 'transaction') RETURNS uuid
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'tenancy_enter';
COMMENT ON FUNCTION tenancy.enter(text, text) IS
'Makes the tenant (slug, id, alias written kind:value, or token) the context of this transaction, or of the session with scope ''session'', and returns its id. To be sent as SELECT tenancy.enter($1), first in its query string but for BEGIN. Final until the transaction ends. Errors: 42501 no access, TN002 another tenant is set, TN005 the tenant is not open, TN006 and TN007 the token, TN009 sent in another way, TN011 malformed.';

CREATE FUNCTION tenancy.switch(tenant text) RETURNS uuid
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'tenancy_switch';
COMMENT ON FUNCTION tenancy.switch(text) IS
'Changes the tenant between two statements of one transaction, for test suites that run in one. Works only where a superuser has set tenancy.test_mode. Errors: 55000 outside test mode, and those of tenancy.enter.';

CREATE FUNCTION tenancy.current_tenant_id() RETURNS uuid
    LANGUAGE c STABLE LEAKPROOF PARALLEL SAFE COST 1e-12 AS 'MODULE_PATHNAME', 'tenancy_current_tenant_id';
COMMENT ON FUNCTION tenancy.current_tenant_id() IS
'The id of the tenant this transaction works for. Errors: TN001 when none is set (NULL with tenancy.on_missing_context = ''empty''), TN003 when setting or role changed, TN008 when the library was loaded too late.';

CREATE FUNCTION tenancy.current_tenant_external_id() RETURNS text
    LANGUAGE c STABLE LEAKPROOF PARALLEL SAFE COST 1e-12 AS 'MODULE_PATHNAME', 'tenancy_current_tenant_external_id';
COMMENT ON FUNCTION tenancy.current_tenant_external_id() IS
'The external id of the tenant this transaction works for, for tables keyed by text. Errors: as current_tenant_id, and 22023 when the tenant has none.';

CREATE FUNCTION tenancy.current_tenant_external_bigint() RETURNS bigint
    LANGUAGE c STABLE LEAKPROOF PARALLEL SAFE COST 1e-12 AS 'MODULE_PATHNAME', 'tenancy_current_tenant_external_bigint';
COMMENT ON FUNCTION tenancy.current_tenant_external_bigint() IS
'The external id of the tenant this transaction works for, for tables keyed by bigint. Errors: as current_tenant_id, and 22023 when it is no canonical bigint.';

CREATE FUNCTION tenancy.current_tenant_external_integer() RETURNS integer
    LANGUAGE c STABLE LEAKPROOF PARALLEL SAFE COST 1e-12 AS 'MODULE_PATHNAME', 'tenancy_current_tenant_external_integer';
COMMENT ON FUNCTION tenancy.current_tenant_external_integer() IS
'The external id of the tenant this transaction works for, for tables keyed by integer. Errors: as current_tenant_id, and 22023 when it is no canonical integer.';

CREATE FUNCTION tenancy.default_tenant_id() RETURNS uuid
    LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'tenancy_default_tenant_id';
COMMENT ON FUNCTION tenancy.default_tenant_id() IS
'The default of tenant columns of type uuid. As current_tenant_id, but an error without a context always (TN001), and when a table rewrite asks (TN019).';

CREATE FUNCTION tenancy.default_tenant_external_id() RETURNS text
    LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'tenancy_default_tenant_external_id';
COMMENT ON FUNCTION tenancy.default_tenant_external_id() IS
'The default of tenant columns of type text. Errors: TN001, TN019, 22023.';

CREATE FUNCTION tenancy.default_tenant_external_bigint() RETURNS bigint
    LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'tenancy_default_tenant_external_bigint';
COMMENT ON FUNCTION tenancy.default_tenant_external_bigint() IS
'The default of tenant columns of type bigint. Errors: TN001, TN019, 22023.';

CREATE FUNCTION tenancy.default_tenant_external_integer() RETURNS integer
    LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'tenancy_default_tenant_external_integer';
COMMENT ON FUNCTION tenancy.default_tenant_external_integer() IS
'The default of tenant columns of type integer. Errors: TN001, TN019, 22023.';

CREATE FUNCTION tenancy.current_tenant() RETURNS text
    LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'tenancy_current_tenant';
COMMENT ON FUNCTION tenancy.current_tenant() IS
'The slug of the tenant this transaction works for; NULL when none is set. Errors: TN003, TN008.';

CREATE FUNCTION tenancy.current_actor() RETURNS text
    LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'tenancy_current_actor';
COMMENT ON FUNCTION tenancy.current_actor() IS
'The actor a verified token named; NULL when the context came from a grant. Errors: TN003, TN008.';

CREATE FUNCTION tenancy.context(
    OUT tenant_id uuid, OUT slug text, OUT actor text, OUT mode text, OUT authority text,
    OUT expires_at timestamptz) RETURNS record
    LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'tenancy_context';
COMMENT ON FUNCTION tenancy.context() IS
'The whole context of this transaction: tenant, actor, mode (read_write, read_only), authority (grant, token, superuser), expiry. NULL when none is set. Errors: TN003, TN008.';

CREATE FUNCTION tenancy.outer_role() RETURNS oid
    LANGUAGE c STABLE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'tenancy_outer_role';
COMMENT ON FUNCTION tenancy.outer_role() IS
'The role whose authority counts: what SET ROLE says, else the session''s user. SECURITY DEFINER does not change it.';

CREATE FUNCTION tenancy.require_operator(kind text) RETURNS void
    LANGUAGE c STABLE STRICT PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'tenancy_require_operator';
COMMENT ON FUNCTION tenancy.require_operator(text) IS
'Raises 42501 unless the outer role is a superuser, or a member of tenancy_<kind> with a row in tenancy.operator.';

CREATE FUNCTION tenancy.registry_changed() RETURNS trigger
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'tenancy_registry_changed';
COMMENT ON FUNCTION tenancy.registry_changed() IS
'Trigger: tells every backend, on standbys too, that what it cached of the registry is stale.';

CREATE FUNCTION tenancy.wait_for_tenant_writers(
    tenant uuid, cancel boolean, timeout_ms integer, any_writer boolean DEFAULT false) RETURNS bigint
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'tenancy_wait_for_tenant_writers';
COMMENT ON FUNCTION tenancy.wait_for_tenant_writers(uuid, boolean, integer, boolean) IS
'Waits until the transactions that were running at the call and work for the tenant or for all tenants have ended (with any_writer: all but those known to be confined to another tenant, prepared ones included), and returns their number; those that wait here do not wait for each other, so the transaction cannot commit if it writes afterwards (25006), unless it has written before. cancel ends those in the tenant''s context or in that of all tenants. timeout_ms in milliseconds, 0 for none. Without shared_preload_libraries it waits for every transaction of the database and ends none. Errors: TN023 on timeout.';

CREATE FUNCTION tenancy.begin_all_tenants() RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'tenancy_begin_all_tenants';
COMMENT ON FUNCTION tenancy.begin_all_tenants() IS
'The part of tenancy.enter_all that sets the context. Errors: 42501 for a role that is not registered.';
