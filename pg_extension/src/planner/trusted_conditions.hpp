// Where a statement as a whole is not trusted, its trusted conditions alone pass the barrier.
#pragma once

#include "bridge/postgres.hpp"

namespace tenancy::planner {

// Moves each trusted condition on one of the `confined` tables of `query` (at this level alone),
// whose barriers hold nothing but the tenant's condition, to that condition, behind the same
// barrier: there it can use an index and everything else of the statement still comes after both.
// May raise.
void move_trusted_conditions(Query* query, const Bitmapset* confined, ParamListInfo parameters);

} // namespace tenancy::planner
