// The guards on queries: EXPLAIN, plans in the log, cursors that outlive the transaction, writes
// without a context or without keys and triggers. See guard.hpp.
#include "bridge/compat.hpp"
#include "bridge/sqlstate.hpp"
#include "context/authority.hpp"
#include "context/errors.hpp"
#include "context/registry.hpp"
#include "context/setting.hpp"
#include "context/state.hpp"
#include "core/sqlstate.hpp"
#include "guard/applies.hpp"
#include "isolation/protected.hpp"
#include "isolation/run_as_owner.hpp"

namespace tenancy::guard {

namespace {

// The role whose statements' LOG messages stay off the client's screen; see install_log_filter().
constinit Oid quiet_role = InvalidOid;
constinit emit_log_hook_type previous_log_hook = nullptr;

// The first protected table that the statement writes with rights that row security binds.
Oid first_target(const PlannedStmt* statement) {
    ListCell* cell;
    foreach (cell, statement->resultRelations) {
        const auto* target = rt_fetch(lfirst_int(cell), statement->rtable);
        if (!isolation::is_protected(target->relid))
            continue;
        const Oid checked = compat::checked_user(statement, target);
        const RoleFacts facts = facts_of(OidIsValid(checked) ? checked : GetUserId());
        if (!facts.superuser && !facts.bypasses)
            return target->relid;
    }
    return InvalidOid;
}

// tenancy.on_missing_context = 'empty' is for reads: a write that does nothing is never meant.
void check_context_of_writes(const PlannedStmt* statement) {
    if (InNoForceRLSOperation() || context::current() != nullptr)
        return;
    if (OidIsValid(first_target(statement)))
        context::errors::no_context();
}

// No foreign key is checked then, and no trigger of the table's fires that is not ENABLE ALWAYS.
void check_replica_of_writes(const PlannedStmt* statement) {
    if (likely(SessionReplicationRole != SESSION_REPLICATION_ROLE_REPLICA) ||
        isolation::internal_work_begins() || !context::authority::is_guarded(GetOuterUserId()))
        return;
    const Oid relation = first_target(statement);
    if (!OidIsValid(relation))
        return;
    ereport(ERROR,
            (tn_errcode(sqlstate::protection_violated),
             errmsg("cannot write protected table \"%s\" under session_replication_role = replica",
                    get_rel_name(relation)),
             errdetail("Its foreign keys and triggers would not see what is written."),
             errhint("SET session_replication_role = origin. An admin finds who may change it with "
                     "tenancy.check_isolation().")));
}

// Above this many rows an index of type GIN answers with some of them, and others' rows count.
void check_fuzzy_search() {
    if (likely(GinFuzzySearchLimit == 0))
        return;
    ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                    errmsg("protected tables cannot be queried with gin_fuzzy_search_limit"),
                    errdetail("The rows of all tenants are counted for it."),
                    errhint("SET gin_fuzzy_search_limit = 0, and use LIMIT.")));
}

[[noreturn]] void refuse_hold(Oid relation) {
    ereport(
        ERROR,
        (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
         errmsg("a cursor WITH HOLD cannot read protected table \"%s\"", get_rel_name(relation)),
         errdetail("Its rows would outlive the transaction and its tenant."),
         errhint("Declare the cursor WITHOUT HOLD and read it in one transaction. In Django, "
                 "call .iterator() inside transaction.atomic(), or set "
                 "DISABLE_SERVER_SIDE_CURSORS.")));
    pg_unreachable();
}

[[noreturn]] void refuse_loop(Oid relation) {
    ereport(
        ERROR,
        (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
         errmsg("a procedure cannot COMMIT or ROLLBACK in a loop over protected table \"%s\"",
                get_rel_name(relation)),
         errdetail("The loop's remaining rows would outlive the transaction and its tenant."),
         errhint("Work in batches: one transaction, with a context of its own, for each CALL.")));
    pg_unreachable();
}

// Whether what starts now is, or runs inside, a query whose rows outlive the transaction.
bool is_for_holding() {
    const PortalData* portal = ActivePortal;
    return progress.holding || (portal != nullptr && portal->strategy == PORTAL_ONE_SELECT &&
                                (portal->cursorOptions & CURSOR_OPT_HOLD) != 0);
}

// Temporary tables count, too: they may hold copies of protected rows, and go at COMMIT.
bool is_not_to_hold(Oid relation) {
    return isolation::is_protected(relation) ||
           get_rel_persistence(relation) == RELPERSISTENCE_TEMP;
}

void check_hold(const PlannedStmt* statement) {
    if (likely(!is_for_holding()) || !applies())
        return;
    const Oid relation = first_table(statement, is_not_to_hold);
    if (OidIsValid(relation))
        refuse_hold(relation);
}

void log_filter(ErrorData* message) {
    if (message->elevel == LOG && message->output_to_client && OidIsValid(quiet_role) &&
        quiet_role == GetOuterUserId())
        message->output_to_client = false;
    if (previous_log_hook != nullptr)
        previous_log_hook(message);
}

} // namespace

// Nothing of it can raise: no entry<> is needed, nor could its report be raised in the middle of
// one.
extern "C" {
static void tenancy_log_filter(ErrorData* message) {
    log_filter(message);
}
}

void install_log_filter() {
    previous_log_hook = emit_log_hook;
    emit_log_hook = tenancy_log_filter;
}

void check_plan(PlannedStmt* planned) {
    if (!context::registry::installed())
        return;
    // A plan that a superuser may have is not for those who go on with the session.
    if (broken::check_query(planned))
        planned->dependsOnRole = true;
    const Oid relation = first_protected(planned);
    if (!OidIsValid(relation))
        return;
    planned->dependsOnRole = true;
    // A portal may start with the plan under another role than the one it was made for.
    bypass::check_query(planned);
    if (likely(!Debug_print_plan) || !applies() || explain::is_granted())
        return;
    ereport(ERROR,
            (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
             errmsg("plans for protected table \"%s\" cannot be printed", get_rel_name(relation)),
             errdetail("The estimates in them are made from the rows of all tenants."),
             errhint("SET debug_print_plan = off.")));
}

void check_query(const QueryDesc* query, int flags) {
    const PlannedStmt* statement = query->plannedstmt;
    if (IsBinaryUpgrade)
        return;
    if (writes(statement)) {
        temporary::check_targets(statement);
        broken::check_parents(statement);
    }
    check_hold(statement);
    if (!statement->dependsOnRole)
        return;
    broken::check_query(statement);
    bypass::check_query(statement);
    if (writes(statement) && (flags & EXEC_FLAG_EXPLAIN_ONLY) == 0) {
        broken::check_writes(statement);
        check_context_of_writes(statement);
        check_replica_of_writes(statement);
    }
    const bool guarded = applies();
    quiet_role = guarded ? GetOuterUserId() : InvalidOid;
    if (!guarded)
        return;
    check_fuzzy_search();
    explain::check(statement, flags);
}

void check_run(const QueryDesc* query) {
    const PortalData* portal = ActivePortal;
    if (likely(!progress.holding) || portal == nullptr || portal->queryDesc != query)
        return;
    if ((portal->cursorOptions & CURSOR_OPT_HOLD) != 0 && portal->holdStore == nullptr)
        return;
    if (!query->plannedstmt->dependsOnRole || !applies())
        return;
    const Oid relation = first_protected(query->plannedstmt);
    if (OidIsValid(relation))
        refuse_loop(relation);
}

} // namespace tenancy::guard
