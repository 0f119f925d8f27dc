// Walking a finished plan.
#pragma once

#include "bridge/postgres.hpp"

namespace tenancy::planner {

// Calls visit(plan, argument) for every node of a statement's plan, those of its sub-plans
// included, until one call returns true; returns whether one did. May raise where a plan is too
// deep.
using Visit = bool (*)(Plan* plan, void* argument);
bool walk_plan(const PlannedStmt* statement, Visit visit, void* argument);

} // namespace tenancy::planner
