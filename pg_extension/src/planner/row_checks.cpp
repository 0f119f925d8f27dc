// See row_checks.hpp. Plain C style throughout.
#include "planner/row_checks.hpp"

#include "bridge/compat.hpp"
#include "isolation/protected.hpp"

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

bool drop_everywhere(Node* node, void*) {
    if (node == nullptr)
        return false;
    if (!IsA(node, Query))
        return compat::walk_expression(node, drop_everywhere, nullptr);
    auto* query = castNode(Query, node);
    List* kept = NIL;
    ListCell* cell;
    foreach (cell, query->withCheckOptions) {
        auto* check = lfirst_node(WithCheckOption, cell);
        if (!is_repeated(check, kept))
            kept = lappend(kept, check);
    }
    query->withCheckOptions = kept;
    return query->hasModifyingCTE && compat::walk_query(query, drop_everywhere, nullptr);
}

} // namespace

void drop_repeated_checks(Query* statement) {
    if (statement->commandType != CMD_SELECT || statement->hasModifyingCTE)
        drop_everywhere(reinterpret_cast<Node*>(statement), nullptr);
}

} // namespace tenancy::planner
