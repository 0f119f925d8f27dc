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

// What applications' own policies repeat stays: it may count its calls.
bool is_repeated(const WithCheckOption* check, const List* kept) {
    if (isolation::compared_column(check->qual) == InvalidAttrNumber)
        return false;
    ListCell* cell;
    foreach (cell, kept)
        if (is_same(check, lfirst_node(WithCheckOption, cell)))
            return true;
    return false;
}

void drop_from_query(Query* query) {
    List* kept = NIL;
    ListCell* cell;
    foreach (cell, query->withCheckOptions) {
        auto* check = lfirst_node(WithCheckOption, cell);
        if (!is_repeated(check, kept))
            kept = lappend(kept, check);
    }
    query->withCheckOptions = kept;
}

} // namespace

void drop_repeated_checks(Query* statement) {
    for_each_writing_query(statement, drop_from_query);
}

} // namespace tenancy::planner
