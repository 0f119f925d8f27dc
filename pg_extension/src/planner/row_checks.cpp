// See row_checks.hpp. Plain C style throughout.
#include "planner/row_checks.hpp"

#include "isolation/protected.hpp"
#include "planner/writing_query.hpp"

namespace tenancy::planner {

namespace {

// What one query keeps: WithCheckOption *, and beside each the tenant's column where it compares
// that with the tenant, else InvalidAttrNumber.
struct Kept {
    List* checks;
    List* columns;
};

// But for the policy's name, which the error of the first one of them gives. A table's column is
// compared with the tenant in one way.
bool is_repeated(const WithCheckOption* check, AttrNumber column, const Kept& kept) {
    ListCell* cell;
    ListCell* other_column;
    forboth(cell, kept.checks, other_column, kept.columns) {
        const auto* other = lfirst_node(WithCheckOption, cell);
        if (lfirst_int(other_column) == column && check->kind == other->kind &&
            check->cascaded == other->cascaded && strcmp(check->relname, other->relname) == 0)
            return true;
    }
    return false;
}

// What applications' own policies repeat stays: it may count its calls.
void settle_in_query(Query* query, TenantParameters* tenant) {
    Kept kept{};
    ListCell* cell;
    foreach (cell, query->withCheckOptions) {
        auto* check = lfirst_node(WithCheckOption, cell);
        const AttrNumber column = isolation::compared_column(check->qual);
        if (column != InvalidAttrNumber) {
            if (is_repeated(check, column, kept))
                continue;
            put_parameter(castNode(OpExpr, check->qual), tenant);
        }
        kept.checks = lappend(kept.checks, check);
        kept.columns = lappend_int(kept.columns, column);
    }
    query->withCheckOptions = kept.checks;
}

} // namespace

void settle_checks(Query* statement, TenantParameters* tenant) {
    for_each_writing_query(statement, [&](Query* query) { settle_in_query(query, tenant); });
}

} // namespace tenancy::planner
