// What policies, column defaults and applications ask: which tenant is it? SQL:
// sql/200_context.sql.
#include "bridge/entry.hpp"
#include "context/authority.hpp"
#include "context/errors.hpp"
#include "context/key_function.hpp"
#include "context/registry.hpp"
#include "context/setting.hpp"
#include "context/state.hpp"
#include "bridge/sqlstate.hpp"
#include "core/sqlstate.hpp"

namespace tenancy::context {

namespace {

// A table rewrite would stamp every tenant's rows with the tenant of the context.
[[noreturn]] void refuse_rewrite() {
    ereport(ERROR, (tn_errcode(sqlstate::default_in_rewrite),
                    errmsg("existing rows cannot get their tenant from the context"),
                    errdetail("The statement would stamp the rows of all tenants with one."),
                    errhint("Add the column without a default, fill it, and set the default last; "
                            "tenancy.protect does all of it.")));
    pg_unreachable();
}

// The context for a policy, or nullptr where it has to answer NULL: during planning, which never
// raises, and in a statement that only reads where 'empty' was chosen.
const Context* for_policy() {
    if (unlikely(depth.planner > 0))
        return for_planning();
    // ALTER TABLE itself asks, for a default or a check; its queries' policies are a level deeper.
    if (unlikely(depth.altering == depth.executor + 1))
        refuse_rewrite();
    const Context* context = current();
    if (likely(context != nullptr && context->kind == Kind::tenant))
        return context;
    if (context == nullptr && !depth.writing &&
        setting::on_missing_context() == setting::OnMissingContext::empty)
        return nullptr;
    return &require_tenant();
}

// The context for a column default.
const Context& for_default() {
    if (depth.altering != 0)
        refuse_rewrite();
    return require_tenant();
}

[[noreturn]] void no_key(const char* type) {
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("the tenant of this context has no external id of type %s", type),
                    errhint("Provision tenants of tables keyed by %s with an external_id.", type)));
    pg_unreachable();
}

Datum external_text(const Context& context) {
    if (context.external_id[0] == '\0')
        no_key("text");
    return CStringGetTextDatum(context.external_id);
}

int64 external_bigint(const Context& context) {
    if (!context.has_external_bigint)
        no_key("bigint");
    return context.external_bigint;
}

int32 external_integer(const Context& context) {
    const int64 wide = external_bigint(context);
    if (wide < PG_INT32_MIN || wide > PG_INT32_MAX)
        no_key("integer");
    return static_cast<int32>(wide);
}

} // namespace

Datum key_answer(KeyKind kind, bool* is_null) {
    const Context* context = for_policy();
    *is_null = context == nullptr;
    if (context == nullptr)
        return 0;
    switch (kind) {
    case KeyKind::uuid:
        return UUIDPGetDatum(&context->tenant);
    case KeyKind::text:
        return external_text(*context);
    case KeyKind::bigint:
        return Int64GetDatum(external_bigint(*context));
    case KeyKind::integer:
        return Int32GetDatum(external_integer(*context));
    case KeyKind::none:
        break;
    }
    *is_null = true;
    return 0;
}

namespace {

Datum find_tenant_id(FunctionCallInfo fcinfo) {
    return key_answer(KeyKind::uuid, &fcinfo->isnull);
}

} // namespace

// Called for each row: entry<> only where something may raise.
extern "C" {
PG_FUNCTION_INFO_V1(tenancy_current_tenant_id);
PGDLLEXPORT Datum tenancy_current_tenant_id(PG_FUNCTION_ARGS) {
    const Context* context = usable_tenant();
    if (likely(context != nullptr))
        PG_RETURN_UUID_P(const_cast<pg_uuid_t*>(&context->tenant));
    return entry<find_tenant_id>(fcinfo);
}
}

TENANCY_FUNCTION(current_tenant_external_id) {
    return key_answer(KeyKind::text, &fcinfo->isnull);
}

TENANCY_FUNCTION(current_tenant_external_bigint) {
    return key_answer(KeyKind::bigint, &fcinfo->isnull);
}

TENANCY_FUNCTION(current_tenant_external_integer) {
    return key_answer(KeyKind::integer, &fcinfo->isnull);
}

TENANCY_FUNCTION(default_tenant_id) {
    PG_RETURN_UUID_P(const_cast<pg_uuid_t*>(&for_default().tenant));
}

TENANCY_FUNCTION(default_tenant_external_id) {
    return external_text(for_default());
}

TENANCY_FUNCTION(default_tenant_external_bigint) {
    PG_RETURN_INT64(external_bigint(for_default()));
}

TENANCY_FUNCTION(default_tenant_external_integer) {
    PG_RETURN_INT32(external_integer(for_default()));
}

TENANCY_FUNCTION(current_tenant) {
    const Context* context = current();
    if (context == nullptr || context->kind != Kind::tenant)
        PG_RETURN_NULL();
    return CStringGetTextDatum(context->slug);
}

TENANCY_FUNCTION(current_actor) {
    const Context* context = current();
    if (context == nullptr || context->actor[0] == '\0')
        PG_RETURN_NULL();
    return CStringGetTextDatum(context->actor);
}

namespace {

const char* authority_name(Authority authority) {
    switch (authority) {
    case Authority::none:
        break;
    case Authority::superuser:
        return "superuser";
    case Authority::grant:
        return "grant";
    case Authority::token:
        return "token";
    case Authority::internal:
        return "internal";
    }
    return "none";
}

} // namespace

TENANCY_FUNCTION(context) {
    TupleDesc descriptor;
    if (get_call_result_type(fcinfo, nullptr, &descriptor) != TYPEFUNC_COMPOSITE)
        elog(ERROR, "return type must be a row type");
    const Context* context = current();
    if (context == nullptr)
        PG_RETURN_NULL();
    const bool one = context->kind == Kind::tenant;
    Datum values[6];
    bool nulls[6] = {!one,  !one,  context->actor[0] == '\0',
                     false, false, context->expires == DT_NOEND};
    values[0] = UUIDPGetDatum(&context->tenant);
    values[1] = CStringGetTextDatum(context->slug);
    values[2] = CStringGetTextDatum(context->actor);
    values[3] = CStringGetTextDatum(context->read_only ? "read_only" : "read_write");
    values[4] = CStringGetTextDatum(authority_name(context->authority));
    values[5] = TimestampTzGetDatum(context->expires);
    HeapTuple row = heap_form_tuple(BlessTupleDesc(descriptor), values, nulls);
    return HeapTupleGetDatum(row);
}

TENANCY_FUNCTION(outer_role) {
    PG_RETURN_OID(GetOuterUserId());
}

namespace {

// Erasing, REFRESH MATERIALIZED VIEW or ANALYZE run the code of a table's owner for an operator or
// a superuser. That is the outer user then, and the code must not have its rights.
void require_own_account() {
    if (!InSecurityRestrictedOperation())
        return;
    ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                    errmsg("permission denied within a security-restricted operation"),
                    errdetail("The code of a table's owner runs here on somebody else's behalf."),
                    errhint("Call it as a statement of its own.")));
}

} // namespace

TENANCY_FUNCTION(require_own_account) {
    require_own_account();
    PG_RETURN_VOID();
}

TENANCY_FUNCTION(require_operator) {
    require_own_account();
    const char* kind = text_to_cstring(PG_GETARG_TEXT_PP(0));
    const Oid role = GetOuterUserId();
    if (superuser_arg(role) || registry::is_operator(role, kind))
        PG_RETURN_VOID();
    ereport(ERROR,
            (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
             errmsg("permission denied: role \"%s\" is no operator of kind %s in this database",
                    GetUserNameFromId(role, false), kind),
             errhint("A superuser runs GRANT tenancy_%s and SELECT tenancy.add_operator for it.",
                     kind)));
    PG_RETURN_VOID();
}

TENANCY_FUNCTION(is_operator) {
    const Oid role = GetOuterUserId();
    if (superuser_arg(role))
        PG_RETURN_BOOL(true);
    Datum* kinds;
    bool* nulls;
    int count;
    deconstruct_array(PG_GETARG_ARRAYTYPE_P(0), TEXTOID, -1, false, TYPALIGN_INT, &kinds, &nulls,
                      &count);
    bool found = false;
    for (int i = 0; i < count && !found; i++)
        found = !nulls[i] && registry::is_operator(role, TextDatumGetCString(kinds[i]));
    PG_RETURN_BOOL(found);
}

TENANCY_FUNCTION(registry_changed) {
    if (!CALLED_AS_TRIGGER(fcinfo))
        elog(ERROR, "registry_changed is a trigger function");
    registry::signal_change();
    return PointerGetDatum(nullptr);
}

} // namespace tenancy::context
