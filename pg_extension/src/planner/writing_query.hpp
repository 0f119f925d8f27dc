// The queries of a statement that can write.
#pragma once

#include "bridge/postgres.hpp"

namespace tenancy::planner {

// Calls visit(Query*) for the statement and for each query of its WITH clause: PostgreSQL allows
// INSERT, UPDATE, DELETE and MERGE nowhere else.
template <typename Visit>
void for_each_writing_query(Query* statement, Visit visit) {
    visit(statement);
    if (!statement->hasModifyingCTE)
        return;
    ListCell* cell;
    foreach (cell, statement->cteList)
        visit(castNode(Query, lfirst_node(CommonTableExpr, cell)->ctequery));
}

} // namespace tenancy::planner
