// The guards: what is refused to application roles because it would tell about other tenants' rows,
// carry rows from one tenant's transaction into another's, or stop other tenants. Called by the
// hooks of module.cpp. Everything here may raise (42501 unless said otherwise) and holds no C++
// object while it does, so it may be called with or without pg_call.
// The guards and what remains of each leak: docs/explanation/guards.md.
#pragma once

#include "bridge/postgres.hpp"

namespace tenancy::guard {

inline bool writes(const PlannedStmt* statement) {
    return statement->commandType != CMD_SELECT || statement->hasModifyingCTE;
}

// What the hooks have seen on the way to where this backend is now.
struct Progress {
    bool explaining;      // inside EXPLAIN
    bool analyzing;       // inside EXPLAIN ANALYZE
    bool drops_at_commit; // what the running statement creates is ON COMMIT DROP
    bool refreshing; // inside REFRESH MATERIALIZED VIEW, which makes temporary tables of its own
    bool holding;    // what runs now fills a portal that outlives the transaction
};

// While alive, `progress` is as set; the constructors never raise.
class ProgressScope {
public:
    // Round a utility statement.
    ProgressScope(const Node* statement, ProcessUtilityContext kind);
    // Round an ExecutorRun.
    explicit ProgressScope(const QueryDesc* query);
    ProgressScope(const ProgressScope&) = delete;
    ProgressScope& operator=(const ProgressScope&) = delete;
    ~ProgressScope();

private:
    Progress saved_;
};

// From the planner hook, with the finished plan: debug_print_plan, tables that lost their
// protection (TN018), and roles with BYPASSRLS (TN022), for which the plan has no row security,
// under whatever role it is begun. Marks a plan that reads protected tables as one that depends on
// the role (which, under row security, it does): check_query and check_run look no further at
// others.
void check_plan(PlannedStmt* planned);

// From ExecutorStart, after the context was checked: EXPLAIN, WITH HOLD, tables that lost
// their protection (TN018), roles with BYPASSRLS (TN022), writes without a context (TN001) or under
// session_replication_role = replica (TN018), writes to old temporary tables.
void check_query(const QueryDesc* query, int flags);

// From ExecutorRun: COMMIT and ROLLBACK of a procedure in the middle of a loop over a query.
void check_run(const QueryDesc* query);

// From ProcessUtility, after the context was checked. Returns the statement to run: the same one,
// or a copy of an EXPLAIN without costs.
PlannedStmt* check_utility(PlannedStmt* planned);

// From the object access hook: functions that are refused, temporary objects. About a nanosecond
// for other functions of PostgreSQL's own, a lookup in the catalog's cache for those of users.
void on_object_access(ObjectAccessType access, Oid class_id, Oid object_id, void* argument);

// Keeps LOG messages of guarded roles' statements, which may hold plans (auto_explain), from the
// client. Called once, from _PG_init.
void install_log_filter();

} // namespace tenancy::guard
