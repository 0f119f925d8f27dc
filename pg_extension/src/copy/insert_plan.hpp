// The plan of an INSERT whose rows come from elsewhere, with all that PostgreSQL's rewriter and
// planner put into one: the policies' checks, above all.
#pragma once

#include "bridge/postgres.hpp"

namespace tenancy::copy {

// A relation that is inserted into, as the parser knows it.
struct Target {
    Relation relation;        // open, locked in ROW EXCLUSIVE mode
    ParseState* parse;        // holds the relation as its only range table entry
    ParseNamespaceItem* item; // that entry
};

// Makes the parse state, for errors that point into `text`.
Target parse_target(Relation relation, const char* text);

// Plans the INSERT of one row that has no values yet: its source, outerPlan(plan->planTree), is
// there to be replaced. Needs INSERT on `columns` (a list of attribute numbers), or on any column
// when there are none; the executor checks that. The relation has no ON INSERT rules.
PlannedStmt* plan_insert(const Target& target, const List* columns);

} // namespace tenancy::copy
