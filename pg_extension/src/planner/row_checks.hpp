// What the rows that a statement writes are checked for.
#pragma once

#include "bridge/postgres.hpp"

namespace tenancy::planner {

// Leaves one of the tenant's conditions that row security repeats: the policies of a protected
// table ask the same for what an UPDATE may write, for what anybody may write, and for what stays
// visible.
void drop_repeated_checks(Query* statement);

} // namespace tenancy::planner
