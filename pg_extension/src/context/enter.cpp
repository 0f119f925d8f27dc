// The ways into a context: tenancy.enter, enter_all, switch, and SET tenancy.context.
#include "context/enter.hpp"

#include "bridge/call.hpp"
#include "bridge/entry.hpp"
#include "bridge/sqlstate.hpp"
#include "context/authority.hpp"
#include "context/entry_rule.hpp"
#include "context/errors.hpp"
#include "context/registry.hpp"
#include "context/setting.hpp"
#include "context/state.hpp"
#include "core/sqlstate.hpp"
#include "core/tenant_name.hpp"

namespace tenancy::context {

namespace {

bool is_token(const char* raw) {
    return classify_designator(raw).kind == Designator::Kind::token;
}

void require_direct_call() {
    // Loaded too late, no hook has seen how the call came.
    if (!registry::preloaded())
        errors::not_preloaded();
    if (!entry_rule::called_directly() && !authority::may_enter_anywhere())
        errors::entry_refused("here");
}

void require_bound_token(const char* raw, bool bound) {
    if (!bound && !setting::literal_tokens() && is_token(raw))
        errors::literal_token();
}

char* argument(FunctionCallInfo fcinfo, int number, const char* name) {
    if (PG_ARGISNULL(number))
        ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("%s is null", name)));
    return text_to_cstring(PG_GETARG_TEXT_PP(number));
}

authority::Scope parse_scope(const char* scope) {
    if (strcmp(scope, "transaction") == 0)
        return authority::Scope::transaction;
    if (strcmp(scope, "session") == 0)
        return authority::Scope::session;
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("unknown scope \"%s\"", scope),
                    errhint("Use 'transaction' or 'session'.")));
    pg_unreachable();
}

bool names_context(const VariableSetStmt* statement) {
    return statement->name != nullptr && pg_strcasecmp(statement->name, "tenancy.context") == 0;
}

void run(const UtilityRun& next) {
    pg_call([&] { next.run(next.argument); });
}

void set_context(const VariableSetStmt* statement, const PlannedStmt* planned, const char* source,
                 ProcessUtilityContext context, const UtilityRun& next) {
    if (!entry_rule::allows_set(planned, source, context) && !authority::may_enter_anywhere())
        errors::entry_refused("here");
    const char* raw = ExtractSetVariableArgs(const_cast<VariableSetStmt*>(statement));
    if (raw == nullptr || raw[0] == '\0') {
        forget_context(next);
        return;
    }
    require_bound_token(raw, false);
    if (statement->is_local)
        RequireTransactionBlock(context == PROCESS_UTILITY_TOPLEVEL, "SET LOCAL tenancy.context");
    const auto scope =
        statement->is_local ? authority::Scope::transaction : authority::Scope::session;
    const Context resolved = authority::resolve(raw, scope);
    authority::admit(resolved, raw);
    const setting::AssignmentPermit permit;
    run(next);
}

} // namespace

void forget_context(const UtilityRun& next) {
    if (is_pinned())
        errors::already_set(pinned());
    run(next);
}

bool handle_set(const PlannedStmt* planned, const char* source, ProcessUtilityContext context,
                const UtilityRun& next) {
    if (!IsA(planned->utilityStmt, VariableSetStmt))
        return false;
    const auto* statement = castNode(VariableSetStmt, planned->utilityStmt);
    if (!names_context(statement))
        return false;
    switch (statement->kind) {
    case VAR_SET_VALUE:
        set_context(statement, planned, source, context, next);
        return true;
    case VAR_SET_DEFAULT:
    case VAR_RESET:
        forget_context(next);
        return true;
    default:
        errors::entry_refused("from its current value");
    }
}

TENANCY_FUNCTION(enter) {
    const char* raw = argument(fcinfo, 0, "tenant");
    const authority::Scope scope = parse_scope(argument(fcinfo, 1, "scope"));
    require_direct_call();
    require_bound_token(raw, entry_rule::tenant_is_bound());
    const Context resolved = authority::resolve(raw, scope);
    authority::admit(resolved, raw);
    setting::assign(raw, scope == authority::Scope::session);
    PG_RETURN_UUID_P(const_cast<pg_uuid_t*>(&pinned().tenant));
}

// The SQL function enter_all records the reason and calls this.
TENANCY_FUNCTION(begin_all_tenants) {
    // Code of a table's owner that runs during maintenance asks for itself, not for its caller.
    if (InSecurityRestrictedOperation())
        errors::entry_refused("in a security-restricted operation");
    const Context all = authority::resolve_all();
    authority::admit(all, "*");
    setting::assign("*", false);
    PG_RETURN_VOID();
}

TENANCY_FUNCTION(switch) {
    const char* raw = argument(fcinfo, 0, "tenant");
    if (!setting::test_mode())
        ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                        errmsg("tenancy.switch works in test databases only"),
                        errhint("A superuser sets tenancy.test_mode there, never in production.")));
    require_direct_call();
    require_bound_token(raw, entry_rule::tenant_is_bound());
    const Context resolved = authority::resolve(raw, authority::Scope::transaction);
    replace(resolved, raw);
    setting::assign(raw, false);
    PG_RETURN_UUID_P(const_cast<pg_uuid_t*>(&pinned().tenant));
}

} // namespace tenancy::context
