// The library's magic, _PG_init, and the hooks, each of which hands over to the area it belongs to.
#include "bridge/call.hpp"
#include "bridge/compat.hpp"
#include "bridge/entry.hpp"
#include "context/activity.hpp"
#include "context/enter.hpp"
#include "context/entry_rule.hpp"
#include "context/errors.hpp"
#include "context/fold.hpp"
#include "context/leftovers.hpp"
#include "context/limits.hpp"
#include "context/preload.hpp"
#include "context/registry.hpp"
#include "context/setting.hpp"
#include "context/state.hpp"
#include "copy/copy_from.hpp"
#include "guard/guard.hpp"
#include "isolation/borrowed_rights.hpp"
#include "isolation/ddl.hpp"
#include "isolation/forced.hpp"
#include "isolation/hidden_rows.hpp"
#include "isolation/protected.hpp"
#include "planner/arbiter.hpp"
#include "planner/plan_tree.hpp"
#include "planner/pushdown.hpp"
#include "planner/row_checks.hpp"
#include "planner/stack_room.hpp"
#include "planner/tenant_first.hpp"
#include "planner/tenant_parameter.hpp"
#include "planner/tenant_size.hpp"

namespace tenancy {

namespace {

using context::depth;

constinit planner_hook_type previous_planner = nullptr;
constinit get_relation_info_hook_type previous_relation_info = nullptr;
constinit ExecutorCheckPerms_hook_type previous_permissions = nullptr;
constinit ExecutorStart_hook_type previous_start = nullptr;
constinit ExecutorRun_hook_type previous_run = nullptr;
constinit ExecutorFinish_hook_type previous_finish = nullptr;
constinit ProcessUtility_hook_type previous_utility = nullptr;
constinit object_access_hook_type previous_access = nullptr;

// Sets a variable for as long as it lives.
template <typename Value>
class Scoped {
public:
    Scoped(Value& variable, Value value) : variable_(variable), saved_(variable) {
        variable_ = value;
    }
    Scoped(const Scoped&) = delete;
    Scoped& operator=(const Scoped&) = delete;
    ~Scoped() { variable_ = saved_; }

private:
    Value& variable_;
    Value saved_;
};

PlannedStmt* plan(Query* query, const char* text, int options, ParamListInfo parameters) {
    const Scoped planning(depth.planner, depth.planner + 1);
    const isolation::ForcedRowSecurity forced;
    planner::TenantParameters tenant{};
    List* confined = pg_call([&]() -> List* {
        if (!context::registry::installed())
            return NIL;
        planner::add_tenant_to_arbiters(query);
        planner::settle_checks(query, &tenant);
        return planner::open_barriers(query, parameters, &tenant);
    });
    PlannedStmt* planned = pg_call([&] {
        ParamListInfo known = planner::parameters_to_plan_with(&tenant, parameters);
        return previous_planner != nullptr ? previous_planner(query, text, options, known)
                                           : standard_planner(query, text, options, known);
    });
    pg_call([&] {
        planner::put_tenant_first(planned, confined);
        planner::settle_parameters(planned, &tenant);
        if (parameters == nullptr)
            planner::keep_for_size(planned, confined);
    });
    return planned;
}

PlannedStmt* planner_impl(Query* query, const char* text, int options, ParamListInfo parameters) {
    pg_call([&] {
        if (context::registry::installed())
            isolation::force_policies(query);
    });
    PlannedStmt* planned = plan(query, text, options, parameters);
    pg_call([&] { guard::check_plan(planned); });
    return planned;
}

void relation_info_impl(PlannerInfo* planner, Oid relation, bool inherits, RelOptInfo* planned) {
    pg_call([&] {
        if (previous_relation_info != nullptr)
            previous_relation_info(planner, relation, inherits, planned);
        if (context::registry::installed())
            planner::keep_tenant_column(planner, relation, planned);
    });
}

void start_impl(QueryDesc* query, int flags) {
    if (context::registry::installed() && !context::entry_rule::is_entry(query)) {
        context::check_statement();
        guard::check_query(query, flags);
    }
    MemoryContext own_plan = context::fold::enter_constants(query, flags);
    own_plan = planner::show_calls(query, flags, own_plan);
    planner::RunningParameters* parameters = planner::begin_parameters(query);
    const Scoped planning(depth.planner, 0);
    {
        const isolation::ForcedRowSecurity forced;
        pg_call([&] {
            if (previous_start != nullptr)
                previous_start(query, flags);
            else
                standard_ExecutorStart(query, flags);
        });
    }
    isolation::end_key_check();
    planner::keep_parameters(parameters, query);
    planner::keep_plan(own_plan, query);
}

bool permissions_impl(List* tables, FROM_16(List* infos) bool raises) {
    const bool allowed = pg_call([&] {
        return previous_permissions == nullptr ||
               previous_permissions(tables, FROM_16(infos) raises);
    });
    // Only the check of a foreign key asks for an answer without an error.
    if (allowed && !raises && context::registry::installed())
        pg_call([&] { isolation::begin_key_check(tables); });
    return allowed;
}

void run_query(QueryDesc* query, ScanDirection direction, uint64 count BEFORE_18(bool once)) {
    pg_call([&] {
        if (previous_run != nullptr)
            previous_run(query, direction, count BEFORE_18(once));
        else
            standard_ExecutorRun(query, direction, count BEFORE_18(once));
    });
}

void run_impl(QueryDesc* query, ScanDirection direction, uint64 count BEFORE_18(bool once)) {
    const Scoped running(depth.executor, depth.executor + 1);
    const Scoped planning(depth.planner, 0);
    const Scoped writing(depth.writing, guard::writes(query->plannedstmt));
    const context::entry_rule::Running entry_statement(query);
    const guard::ProgressScope progress(query);
    const isolation::ForcedRowSecurity forced;
    pg_call([&] {
        if (!context::registry::installed() || context::entry_rule::called_directly())
            return;
        context::check_statement();
        guard::check_run(query);
        planner::check_stack_room(query->plannedstmt);
    });
    const bool parallel = query->plannedstmt->parallelModeNeeded && !IsParallelWorker();
    if (!parallel) {
        run_query(query, direction, count BEFORE_18(once));
        return;
    }
    const int level = pg_call([] { return context::setting::begin_sharing(); });
    run_query(query, direction, count BEFORE_18(once));
    pg_call([&] { context::setting::end_sharing(level); });
}

void finish_impl(QueryDesc* query) {
    const Scoped running(depth.executor, depth.executor + 1);
    const Scoped planning(depth.planner, 0);
    const isolation::ForcedRowSecurity forced;
    pg_call([&] {
        if (previous_finish != nullptr)
            previous_finish(query);
        else
            standard_ExecutorFinish(query);
    });
}

// What ProcessUtility was called with, to be passed on.
struct Utility {
    PlannedStmt* planned;
    const char* text;
    bool read_only_tree;
    ProcessUtilityContext context;
    ParamListInfo parameters;
    QueryEnvironment* environment;
    DestReceiver* receiver;
    QueryCompletion* completion;
};

void run_utility(void* argument) {
    const auto* u = static_cast<const Utility*>(argument);
    if (previous_utility != nullptr)
        previous_utility(u->planned, u->text, u->read_only_tree, u->context, u->parameters,
                         u->environment, u->receiver, u->completion);
    else
        standard_ProcessUtility(u->planned, u->text, u->read_only_tree, u->context, u->parameters,
                                u->environment, u->receiver, u->completion);
}

// A partition is not detached while rows that row security hides from the owner refer to it.
void run_seeing_hidden_rows(Utility* utility) {
    const isolation::HiddenRows seeing;
    pg_call([&] { run_utility(utility); });
}

// COPY FROM into a protected table.
bool runs_as_insert(const Utility* utility) {
    return IsA(utility->planned->utilityStmt, CopyStmt) && pg_call([&] {
               return copy::run_copy_from(utility->planned, utility->text, utility->completion);
           });
}

// What touches no row of a tenant passes unchecked, so that a pooler can reset a session whose
// tenant was suspended.
bool needs_no_check(const Node* statement) {
    switch (nodeTag(statement)) {
    case T_VariableSetStmt:
    case T_VariableShowStmt:
    case T_DiscardStmt:
    case T_DeallocateStmt:
    case T_UnlistenStmt:
    case T_ClosePortalStmt:
        return true;
    default:
        return false;
    }
}

void note_leftovers(const Node* statement) {
    if (IsA(statement, PrepareStmt))
        context::leftovers::note_prepared();
    else if (IsA(statement, ListenStmt))
        context::leftovers::note_listen();
    else if (IsA(statement, DeclareCursorStmt) &&
             (castNode(DeclareCursorStmt, statement)->options & CURSOR_OPT_HOLD) != 0)
        context::leftovers::note_held();
}

void utility_impl(PlannedStmt* planned, const char* text, bool read_only_tree,
                  ProcessUtilityContext kind, ParamListInfo parameters,
                  QueryEnvironment* environment, DestReceiver* receiver,
                  QueryCompletion* completion) {
    Utility utility{planned,    text,        read_only_tree, kind,
                    parameters, environment, receiver,       completion};
    const context::UtilityRun next{run_utility, &utility};
    const Node* statement = planned->utilityStmt;
    if (IsA(statement, TransactionStmt) || !context::registry::installed()) {
        run_utility(&utility);
        return;
    }
    if (context::handle_set(planned, text, kind, next))
        return;
    if (!needs_no_check(statement))
        context::check_statement();
    utility.planned = guard::check_utility(planned);
    note_leftovers(statement);
    isolation::check_ddl(planned, kind);
    const bool sees_hidden_rows = isolation::needs_no_force(planned);
    const guard::ProgressScope progress(statement, kind);
    const Scoped nested(depth.utility, depth.utility + 1);
    const Scoped planning(depth.planner, 0);
    const bool alters = IsA(statement, AlterTableStmt);
    const Scoped altering(depth.altering, alters ? depth.executor + 1 : depth.altering);
    const isolation::KeyCheckScope checking;
    if (alters)
        context::setting_changed();
    if (sees_hidden_rows)
        run_seeing_hidden_rows(&utility);
    else if (!runs_as_insert(&utility))
        pg_call([&] { run_utility(&utility); });
    if (IsA(statement, VariableSetStmt))
        pg_call([] { context::limits::check(); });
}

void access_impl(ObjectAccessType access, Oid class_id, Oid object_id, int sub_id, void* argument) {
    if (previous_access != nullptr)
        previous_access(access, class_id, object_id, sub_id, argument);
    // The extension's tables are gone by then: it no longer counts as installed.
    if (access == OAT_DROP && class_id == ExtensionRelationId)
        context::preload::extension_dropped(object_id);
    if (!context::registry::installed())
        return;
    if (access == OAT_FUNCTION_EXECUTE) {
        isolation::refuse_borrowed_rights(object_id);
        isolation::refuse_running_queries(object_id);
    }
    isolation::on_object_access(access, class_id, object_id);
    guard::on_object_access(access, class_id, object_id, argument);
}

void transaction_impl(XactEvent event, void*) {
    // A parallel worker takes over its leader's settings in a transaction of their own.
    if (InitializingParallelWorker)
        return;
    switch (event) {
    case XACT_EVENT_PRE_COMMIT:
        context::check_commit();
        context::activity::check_commit();
        break;
    case XACT_EVENT_PRE_PREPARE:
        if (context::is_pinned())
            context::errors::prepared_transaction();
        context::activity::check_commit();
        break;
    case XACT_EVENT_ABORT:
        context::leftovers::rolled_back();
        context::leftovers::transaction_ended();
        context::activity::transaction_ended();
        context::unpin();
        break;
    case XACT_EVENT_COMMIT:
    case XACT_EVENT_PREPARE:
        context::leftovers::transaction_ended();
        context::activity::transaction_ended();
        context::unpin();
        break;
    default:
        break;
    }
}

void subtransaction_impl(SubXactEvent event, SubTransactionId, SubTransactionId, void*) {
    if (event == SUBXACT_EVENT_ABORT_SUB)
        context::leftovers::rolled_back();
}

void relation_impl(Datum, Oid relation) {
    context::registry::relation_invalidated(relation);
    isolation::isolation_relcache_callback(relation);
    planner::table_invalidated(relation);
}

extern "C" {
PlannedStmt* tenancy_planner(Query* query, const char* text, int options,
                             ParamListInfo parameters) {
    return entry<planner_impl>(query, text, options, parameters);
}
void tenancy_relation_info(PlannerInfo* planner, Oid relation, bool inherits, RelOptInfo* planned) {
    entry<relation_info_impl>(planner, relation, inherits, planned);
}
bool tenancy_permissions(List* tables, FROM_16(List* infos) bool raises) {
    return entry<permissions_impl>(tables, FROM_16(infos) raises);
}
void tenancy_executor_start(QueryDesc* query, int flags) {
    entry<start_impl>(query, flags);
}
void tenancy_executor_run(QueryDesc* query, ScanDirection direction,
                          uint64 count BEFORE_18(bool once)) {
    entry<run_impl>(query, direction, count BEFORE_18(once));
}
void tenancy_executor_finish(QueryDesc* query) {
    entry<finish_impl>(query);
}
void tenancy_process_utility(PlannedStmt* planned, const char* text, bool read_only_tree,
                             ProcessUtilityContext kind, ParamListInfo parameters,
                             QueryEnvironment* environment, DestReceiver* receiver,
                             QueryCompletion* completion) {
    entry<utility_impl>(planned, text, read_only_tree, kind, parameters, environment, receiver,
                        completion);
}
void tenancy_object_access(ObjectAccessType access, Oid class_id, Oid object_id, int sub_id,
                           void* argument) {
    entry<access_impl>(access, class_id, object_id, sub_id, argument);
}
void tenancy_transaction(XactEvent event, void* argument) {
    entry<transaction_impl>(event, argument);
}
void tenancy_subtransaction(SubXactEvent event, SubTransactionId own, SubTransactionId parent,
                            void* argument) {
    entry<subtransaction_impl>(event, own, parent, argument);
}
void tenancy_relation_invalidated(Datum argument, Oid relation) {
    entry<relation_impl>(argument, relation);
}
}

void install_hooks() {
    previous_planner = planner_hook;
    planner_hook = tenancy_planner;
    previous_relation_info = get_relation_info_hook;
    get_relation_info_hook = tenancy_relation_info;
    previous_permissions = ExecutorCheckPerms_hook;
    ExecutorCheckPerms_hook = tenancy_permissions;
    previous_start = ExecutorStart_hook;
    ExecutorStart_hook = tenancy_executor_start;
    previous_run = ExecutorRun_hook;
    ExecutorRun_hook = tenancy_executor_run;
    previous_finish = ExecutorFinish_hook;
    ExecutorFinish_hook = tenancy_executor_finish;
    previous_utility = ProcessUtility_hook;
    ProcessUtility_hook = tenancy_process_utility;
    previous_access = object_access_hook;
    object_access_hook = tenancy_object_access;
    RegisterXactCallback(tenancy_transaction, nullptr);
    RegisterSubXactCallback(tenancy_subtransaction, nullptr);
    CacheRegisterRelcacheCallback(tenancy_relation_invalidated, 0);
    guard::install_log_filter();
    isolation::install_function_hook();
}

void initialise() {
    context::setting::define();
    context::registry::initialise(context::preload::in_time());
    if (process_shared_preload_libraries_in_progress)
        context::activity::request_shared_memory();
    if (context::registry::preloaded())
        install_hooks();
}

} // namespace

} // namespace tenancy

extern "C" {
PG_MODULE_MAGIC;

// NOLINTNEXTLINE(readability-redundant-declaration): 15 does not declare it
PGDLLEXPORT void _PG_init(void);
void _PG_init(void) {
    tenancy::entry<tenancy::initialise>();
}
}
