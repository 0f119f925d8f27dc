// Functions that call themselves (LIKE, jsonb, @@) use more of the stack for some values than for
// others, and raise an error where it ends. Whether they do must not depend on values of other
// tenants.
#pragma once

#include "bridge/postgres.hpp"

namespace tenancy::planner {

// Whether so much of max_stack_depth is left that no value of another tenant decides whether it
// suffices. Never where max_stack_depth is below 1 MB.
bool has_stack_room();

// To be called before a statement runs: a plan that was made where there was room may be kept and
// run where there is none. Raises 54001, whatever the tables hold, if it reads protected tables.
void check_stack_room(const PlannedStmt* statement);

} // namespace tenancy::planner
