// What the rows that a statement writes are checked for.
#pragma once

#include "bridge/postgres.hpp"
#include "planner/tenant_parameter.hpp"

namespace tenancy::planner {

// Leaves one of the tenant's conditions that row security repeats, with a parameter for the tenant:
// the policies of a protected table ask the same for what an UPDATE may write, for what anybody may
// write, and for what stays visible.
void settle_checks(Query* statement, TenantParameters* tenant);

} // namespace tenancy::planner
