// Roles with BYPASSRLS: no policy stops them, so the executor does until they have entered all
// tenants, which is recorded. See guard.hpp.
#include "bridge/compat.hpp"
#include "bridge/sqlstate.hpp"
#include "context/registry.hpp"
#include "context/state.hpp"
#include "core/sqlstate.hpp"
#include "guard/applies.hpp"
#include "isolation/protected.hpp"
#include "isolation/run_as_owner.hpp"

namespace tenancy::guard::bypass {

namespace {

[[noreturn]] void refuse(Oid user, Oid relation, bool registered) {
    ereport(
        ERROR,
        (tn_errcode(sqlstate::all_tenants_required),
         errmsg("role \"%s\" has BYPASSRLS and has not entered all tenants, which protected "
                "table \"%s\" requires",
                GetUserNameFromId(user, false), get_rel_name(relation)),
         registered
             ? errhint("Begin the transaction with SELECT tenancy.enter_all(reason).")
             : errhint("An admin registers the role with tenancy.register_bypass(role, purpose, "
                       "until) first; the purpose 'backup' is for pg_dump.")));
    pg_unreachable();
}

// Superusers' work.
bool is_excepted() {
    return creating_extension || IsBinaryUpgrade || facts_of(GetOuterUserId()).superuser;
}

// Of a statement of PostgreSQL's or the extension's own account, what it names itself: the user is
// the current one.
bool is_own_work() {
    return InNoForceRLSOperation() || isolation::internal_work_begins();
}

void require_all_tenants(Oid user, Oid relation, bool writes) {
    if (is_excepted())
        return;
    const context::Context* context = context::current();
    if (context != nullptr && context->kind == context::Kind::all)
        return;
    bool backup;
    const bool registered = context::registry::is_registered_bypass(user, backup);
    if (registered && backup && !writes && user == GetOuterUserId())
        return;
    refuse(user, relation, registered);
}

bool is_target(const PlannedStmt* statement, Index number) {
    return list_member_int(statement->resultRelations, static_cast<int>(number));
}

} // namespace

void check_query(const PlannedStmt* statement) {
    const bool current_bypasses = facts_of(GetUserId()).bypasses && !is_own_work();
    Index number = 0;
    ListCell* cell;
    foreach (cell, statement->rtable) {
        const auto* entry = lfirst_node(RangeTblEntry, cell);
        number++;
        if (entry->rtekind != RTE_RELATION)
            continue;
        const Oid checked = compat::checked_user(statement, entry);
        if (!(OidIsValid(checked) ? facts_of(checked).bypasses : current_bypasses))
            continue;
        if (isolation::is_protected(entry->relid))
            require_all_tenants(OidIsValid(checked) ? checked : GetUserId(), entry->relid,
                                is_target(statement, number));
    }
}

void check_relation(Oid relation, bool writes) {
    if (facts_of(GetUserId()).bypasses && !is_own_work() && isolation::is_protected(relation))
        require_all_tenants(GetUserId(), relation, writes);
}

} // namespace tenancy::guard::bypass
