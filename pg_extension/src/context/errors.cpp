// See errors.hpp.
#include "context/errors.hpp"

#include "bridge/sqlstate.hpp"
#include "core/sqlstate.hpp"

namespace tenancy::context::errors {

void no_context() {
    ereport(ERROR, (tn_errcode(sqlstate::no_tenant_context), errmsg("no tenant context is set"),
                    errhint("Begin the transaction with SELECT tenancy.enter($1).")));
    pg_unreachable();
}

void not_one_tenant() {
    ereport(
        ERROR,
        (tn_errcode(sqlstate::no_tenant_context),
         errmsg("this transaction works for all tenants, and no single one is set"),
         errhint("Name the tenant in the statement, or use tenancy.enter instead of enter_all.")));
    pg_unreachable();
}

void already_set(const Context& present) {
    ereport(ERROR,
            (tn_errcode(sqlstate::context_already_set),
             present.kind == Kind::all
                 ? errmsg("this transaction already works for all tenants")
                 : errmsg("this transaction already works for tenant \"%s\"", present.slug),
             errhint("A context is final until the transaction ends: use a transaction for each "
                     "tenant.")));
    pg_unreachable();
}

void context_changed() {
    ereport(ERROR,
            (tn_errcode(sqlstate::context_changed),
             errmsg("the tenant context no longer agrees with the setting or the role it was "
                    "made for"),
             errdetail("A RESET, a rollback to a savepoint or a SET ROLE came after it."),
             errhint("Roll the transaction back, and set the role before the context.")));
    pg_unreachable();
}

void not_preloaded() {
    ereport(ERROR,
            (tn_errcode(sqlstate::not_preloaded),
             errmsg("tenancy must be preloaded, and this session loaded it too late"),
             errhint("Reconnect. If this recurs, add tenancy to shared_preload_libraries or "
                     "session_preload_libraries, also where a role's own setting replaces it.")));
    pg_unreachable();
}

void not_installed() {
    ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
                    errmsg("extension \"tenancy\" is not installed in this database"),
                    errhint("Run CREATE EXTENSION tenancy as a superuser.")));
    pg_unreachable();
}

void access_denied(const char* designator) {
    ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                    errmsg("permission denied for tenant \"%s\"", designator),
                    errhint("There is no such tenant, or role \"%s\" has no access to it: see "
                            "tenancy.grant_access.",
                            GetUserNameFromId(GetOuterUserId(), false))));
    pg_unreachable();
}

void all_tenants_denied() {
    const char* role = GetUserNameFromId(GetOuterUserId(), false);
    ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                    errmsg("permission denied for role \"%s\" to work for all tenants", role),
                    errhint("It needs BYPASSRLS, and an operator registers it with "
                            "tenancy.register_bypass(role, purpose).")));
    pg_unreachable();
}

void access_withdrawn() {
    ereport(ERROR,
            (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE), errmsg("access to this tenant was withdrawn"),
             errhint("Roll the transaction back.")));
    pg_unreachable();
}

void tenant_unknown(const char* designator) {
    ereport(ERROR, (tn_errcode(sqlstate::tenant_unknown),
                    errmsg("tenant \"%s\" does not exist", designator),
                    errhint("Name it by slug, by id, or by an alias written kind:value.")));
    pg_unreachable();
}

void tenant_unavailable(const char* slug, const char* state) {
    ereport(ERROR,
            (tn_errcode(sqlstate::tenant_unavailable), errmsg("tenant \"%s\" is %s", slug, state),
             errhint("Nobody works in it until an operator makes it active again.")));
    pg_unreachable();
}

void became_read_only(const char* slug) {
    ereport(ERROR, (errcode(ERRCODE_READ_ONLY_SQL_TRANSACTION),
                    errmsg("tenant \"%s\" became read-only during this transaction", slug),
                    errhint("Roll the transaction back.")));
    pg_unreachable();
}

void expired(const Context& context) {
    ereport(ERROR, (tn_errcode(sqlstate::token_expired),
                    context.authority == Authority::token ? errmsg("the token has expired")
                                                          : errmsg("the access grant has expired"),
                    errhint("Roll the transaction back and enter with a new one.")));
    pg_unreachable();
}

void entry_refused(const char* why) {
    ereport(ERROR, (tn_errcode(sqlstate::entry_refused),
                    errmsg("the tenant context cannot be set %s", why),
                    errhint("Send SELECT tenancy.enter($1) as a statement of its own, first in its "
                            "query string but for BEGIN.")));
    pg_unreachable();
}

void literal_token() {
    ereport(ERROR,
            (tn_errcode(sqlstate::entry_refused),
             errmsg("a token must be a bind parameter, not part of the SQL text"),
             errdetail("SQL text shows up in logs, pg_stat_activity and pg_stat_statements."),
             errhint("Send SELECT tenancy.enter($1) with the token as $1. For drivers that "
                     "bind on the client, a superuser may set tenancy.literal_tokens.")));
    pg_unreachable();
}

void session_scope_denied() {
    ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                    errmsg("permission denied to set a tenant context for the whole session"),
                    errhint("Enter in each transaction, or grant with session_scope => true.")));
    pg_unreachable();
}

void prepared_transaction() {
    ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                    errmsg("cannot PREPARE TRANSACTION in a tenant context"),
                    errdetail("It could write after the tenant was suspended or erased."),
                    errhint("COMMIT instead.")));
    pg_unreachable();
}

} // namespace tenancy::context::errors
