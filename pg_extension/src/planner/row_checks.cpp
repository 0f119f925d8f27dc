// See row_checks.hpp. Plain C style throughout.
#include "planner/row_checks.hpp"

#include "isolation/protected.hpp"
#include "planner/writing_query.hpp"

namespace tenancy::planner {

namespace {

// But for the policy's name, which the error of the first one of them gives.
bool is_same(const WithCheckOption* one, const WithCheckOption* other) {
    return one->kind == other->kind && one->cascaded == other->cascaded &&
           strcmp(one->relname, other->relname) == 0 && equal(one->qual, other->qual);
}

bool is_repeated(const WithCheckOption* check, const List* kept) {
    ListCell* cell;
    foreach (cell, kept)
        if (is_same(check, lfirst_node(WithCheckOption, cell)))
            return true;
    return false;
}

// What applications' own policies repeat stays: it may count its calls.
void settle_in_query(Query* query, TenantParameters* tenant) {
    List* kept = NIL;
    ListCell* cell;
    foreach (cell, query->withCheckOptions) {
        auto* check = lfirst_node(WithCheckOption, cell);
        if (isolation::compared_column(check->qual) != InvalidAttrNumber) {
            put_parameter(castNode(OpExpr, check->qual), tenant);
            if (is_repeated(check, kept))
                continue;
        }
        kept = lappend(kept, check);
    }
    query->withCheckOptions = kept;
}

} // namespace

void settle_checks(Query* statement, TenantParameters* tenant) {
    for_each_writing_query(statement, [&](Query* query) { settle_in_query(query, tenant); });
}

} // namespace tenancy::planner
