// In plans a parameter stands for the call that tells the tenant: `column = $n` in the place of
// `column = tenancy.current_tenant_...()`. The planner asks the catalog about a function wherever
// it meets a call, some ten times for each index that leads with the tenant's column, and evaluates
// it for estimates by an executor of its own; the executor looks the function up, and the right to
// call it, each time a plan starts. A parameter is a number, and whoever runs the plan is asked for
// its value: the answer of the function at that moment.
#pragma once

#include "bridge/postgres.hpp"
#include "context/key_function.hpp"

namespace tenancy::planner {

// What one statement is planned with. Lives as long as it is planned.
struct TenantParameters {
    ParamListInfo others; // the statement's own; nullptr when they are not known
    bool used;            // put_parameter was called
};

// Puts a parameter in the place of the call in `column = tenancy.current_tenant_...()`.
void put_parameter(OpExpr* condition, TenantParameters* parameters);

// The parameters to plan with: those that were given, as `others`, and the tenant's, whose value
// counts for estimates alone. `others` itself when put_parameter was not called. May raise.
ParamListInfo parameters_to_plan_with(TenantParameters* parameters, ParamListInfo others);

// To be called with the finished plan. Workers of a parallel plan do not know the parameters: in
// such a plan the calls come back. May raise.
void settle_parameters(PlannedStmt* planned, const TenantParameters* parameters);

// Lets a query that is about to start, and whose plan will be shown, hold the calls, in a plan of
// its own: in `own_plan`, where copy_plan has made it one. Returns that plan's memory context, for
// keep_plan; `own_plan` when the plan is left alone. May raise.
MemoryContext show_calls(QueryDesc* query, int flags, MemoryContext own_plan);

// While a query starts, between these two, its parameters are those of the plan and the tenant's;
// what has started goes on asking them. A plan that is started without would raise an error where
// it asks for the tenant. `begin` may raise; `kept` is its answer.
struct RunningParameters;
RunningParameters* begin_parameters(QueryDesc* query);
void keep_parameters(RunningParameters* kept, QueryDesc* query);

} // namespace tenancy::planner
