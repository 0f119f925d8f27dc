// Walking and copying a finished plan.
#pragma once

#include "bridge/postgres.hpp"

namespace tenancy::planner {

// Calls visit(plan, argument) for every node of a statement's plan, those of its sub-plans
// included, until one call returns true; returns whether one did. May raise where a plan is too
// deep.
using Visit = bool (*)(Plan* plan, void* argument);
bool walk_plan(const PlannedStmt* statement, Visit visit, void* argument);

// Calls visit(expression, argument) for every expression in a statement's plan, mostly lists of
// them; visit walks on into it and may change it in place.
using VisitExpression = bool (*)(Node* expression, void* argument);
void walk_plan_expressions(const PlannedStmt* statement, VisitExpression visit, void* argument);

// Gives a query that is about to start a copy of its plan, to be changed for this one execution.
// Returns the copy's memory context. keep_plan lets it live as long as the started query.
MemoryContext copy_plan(QueryDesc* query);
void keep_plan(MemoryContext plan, QueryDesc* query);

} // namespace tenancy::planner
