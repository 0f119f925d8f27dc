// See trusted_conditions.hpp. Plain C style throughout.
#include "planner/trusted_conditions.hpp"

#include "bridge/compat.hpp"
#include "planner/trust.hpp"

namespace tenancy::planner {

namespace {

struct Level {
    Query* query;
    const Bitmapset* confined;
    ParamListInfo parameters;
};

// What makes a condition depend on more than a row of one table of its own level.
bool looks_elsewhere(Node* node, void*) {
    if (node == nullptr)
        return false;
    switch (nodeTag(node)) {
    case T_Var:
        return castNode(Var, node)->varlevelsup != 0;
    case T_SubLink:
    case T_Aggref:
    case T_GroupingFunc:
    case T_WindowFunc:
    case T_CurrentOfExpr:
        return true;
    default:
        return compat::walk_expression(node, looks_elsewhere, nullptr);
    }
}

// The one table among `tables` that a condition speaks of, or 0.
int table_of(Node* condition, const Bitmapset* tables) {
    int number;
    if (!bms_get_singleton_member(pull_varnos(nullptr, condition), &number) ||
        !bms_is_member(number, tables) || looks_elsewhere(condition, nullptr))
        return 0;
    return number;
}

// One that is never true would take the tenant's condition beside it away, without which no scan
// is known to be confined.
bool may_move(Node* condition, Level* level) {
    return !contain_volatile_functions(condition) && may_pass(condition, level->parameters) &&
           !is_known(condition, level->parameters);
}

void add_condition(RangeTblEntry* entry, Node* condition) {
    auto* tenants = static_cast<Node*>(linitial(entry->securityQuals));
    linitial(entry->securityQuals) = make_and_qual(tenants, condition);
}

// Returns what stays of the conditions.
Node* without_trusted(Node* conditions, const Bitmapset* tables, Level* level) {
    List* kept = NIL;
    ListCell* cell;
    foreach (cell, make_ands_implicit(reinterpret_cast<Expr*>(conditions))) {
        auto* condition = static_cast<Node*>(lfirst(cell));
        const int number = table_of(condition, tables);
        if (number > 0 && may_move(condition, level))
            add_condition(rt_fetch(number, level->query->rtable), condition);
        else
            kept = lappend(kept, condition);
    }
    return kept == NIL ? nullptr : reinterpret_cast<Node*>(make_ands_explicit(kept));
}

Bitmapset* move_in(Node* node, Level* level);

// An outer join's condition may take rows from the side that it fills up with nulls, and
// conditions above it may take them from the other alone.
Bitmapset* move_in_join(JoinExpr* join, Level* level) {
    Bitmapset* left = move_in(join->larg, level);
    Bitmapset* right = move_in(join->rarg, level);
    switch (join->jointype) {
    case JOIN_INNER: {
        Bitmapset* both = bms_union(left, right);
        join->quals = without_trusted(join->quals, both, level);
        return both;
    }
    case JOIN_LEFT:
        join->quals = without_trusted(join->quals, right, level);
        return left;
    case JOIN_RIGHT:
        join->quals = without_trusted(join->quals, left, level);
        return right;
    default:
        return nullptr;
    }
}

// Returns the confined tables of a join tree whose rows a condition above it may take away.
Bitmapset* move_in(Node* node, Level* level) {
    check_stack_depth();
    if (IsA(node, RangeTblRef)) {
        const int number = castNode(RangeTblRef, node)->rtindex;
        return bms_is_member(number, level->confined) ? bms_make_singleton(number) : nullptr;
    }
    if (IsA(node, JoinExpr))
        return move_in_join(castNode(JoinExpr, node), level);
    auto* from = castNode(FromExpr, node);
    Bitmapset* tables = nullptr;
    ListCell* cell;
    foreach (cell, from->fromlist)
        tables = bms_union(tables, move_in(static_cast<Node*>(lfirst(cell)), level));
    from->quals = without_trusted(from->quals, tables, level);
    return tables;
}

} // namespace

void move_trusted_conditions(Query* query, const Bitmapset* confined, ParamListInfo parameters) {
    Level level{query, confined, parameters};
    // What stands in the place of MERGE's WHERE clause decides which rows match, and takes none
    // away.
    if (query->jointree != nullptr && query->commandType != CMD_MERGE)
        move_in(reinterpret_cast<Node*>(query->jointree), &level);
}

} // namespace tenancy::planner
