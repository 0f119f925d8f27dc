// While PostgreSQL plans a statement, a parameter stands for the call that tells the tenant. The
// planner asks the catalog about a function wherever it meets a call, some ten times for each index
// that leads with the tenant's column, and evaluates it for estimates by an executor of its own; a
// parameter is a number with a value beside it.
#pragma once

#include "bridge/postgres.hpp"
#include "context/key_function.hpp"

namespace tenancy::planner {

// What one statement is planned with. Lives as long as it is planned.
struct TenantParameters {
    ParamListInfo others; // the statement's own; nullptr when they are not known
    FuncExpr* calls[5];   // by KeyKind: what a parameter stands for; nullptr where there is none
};

// Puts a parameter in the place of the call in `column = tenancy.current_tenant_...()`.
void put_parameter(OpExpr* condition, TenantParameters* parameters);

// The parameters to plan with: those that were given, as `others`, and the tenant's, whose value
// counts for estimates alone. `others` itself when put_parameter was not called. May raise.
ParamListInfo parameters_with_tenant(TenantParameters* parameters, ParamListInfo others);

// Puts the calls back. One that was forgotten would be a parameter without a value when the plan
// runs, which raises an error. May raise.
void put_calls_back(PlannedStmt* planned, const TenantParameters* parameters);

} // namespace tenancy::planner
