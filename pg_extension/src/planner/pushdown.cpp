// See pushdown.hpp. Plain C style throughout.
#include "planner/pushdown.hpp"

#include "bridge/compat.hpp"
#include "context/setting.hpp"
#include "isolation/protected.hpp"
#include "planner/stack_room.hpp"
#include "planner/trust.hpp"
#include "planner/trusted_conditions.hpp"

namespace tenancy::planner {

namespace {

// Whether nothing but the tenant's condition stands before the rows of a table. Where it has
// policies of its own beside, they hide rows within the tenant, and the barrier stays closed. So it
// does where columns are computed when they are read: by what is not seen in the statement.
bool is_confined(const RangeTblEntry* entry) {
    if (entry->rtekind != RTE_RELATION || entry->securityQuals == NIL)
        return false;
    const isolation::Protection protection = isolation::protection_of(entry->relid);
    if (protection.kind == isolation::KeyKind::none || compat::computes_columns(entry->relid))
        return false;
    ListCell* cell;
    foreach (cell, entry->securityQuals)
        if (isolation::compared_column(static_cast<Node*>(lfirst(cell))) !=
            protection.tenant_column)
            return false;
    return true;
}

using Visit = bool (*)(Query*, void*);

struct Tour {
    Visit visit;
    void* argument;
};

bool visit_queries(Query* query, const Tour* tour);

bool visit_sub_selects(Node* node, void* tour) {
    if (node == nullptr)
        return false;
    if (IsA(node, Query))
        return visit_queries(castNode(Query, node), static_cast<const Tour*>(tour));
    return compat::walk_expression(node, visit_sub_selects, tour);
}

// From the outside in, until one answers true. Every statement comes by here, most of them in
// vain: expressions are looked at only where they hold queries.
bool visit_queries(Query* query, const Tour* tour) {
    check_stack_depth();
    if (tour->visit(query, tour->argument))
        return true;
    ListCell* cell;
    foreach (cell, query->rtable) {
        const auto* entry = lfirst_node(RangeTblEntry, cell);
        if (entry->rtekind == RTE_SUBQUERY && visit_queries(entry->subquery, tour))
            return true;
    }
    foreach (cell, query->cteList)
        if (visit_queries(castNode(Query, lfirst_node(CommonTableExpr, cell)->ctequery), tour))
            return true;
    return query->hasSubLinks &&
           compat::walk_query(query, visit_sub_selects, const_cast<Tour*>(tour),
                              QTW_IGNORE_RC_SUBQUERIES);
}

bool visit_queries(Query* query, Visit visit, void* argument) {
    const Tour tour{visit, argument};
    return visit_queries(query, &tour);
}

bool holds_any(Query* query, void*) {
    ListCell* cell;
    foreach (cell, query->rtable)
        if (is_confined(lfirst_node(RangeTblEntry, cell)))
            return true;
    return false;
}

struct Walk {
    ParamListInfo parameters;
    List* tables; // Confined *
    TenantParameters* tenant;
};

// What one query of a statement is changed in.
struct Level {
    Query* query;
    Walk* walk;
};

// Notes a table of a query, with a parameter for the tenant. Returns its condition.
Node* note_table(int number, Level* level) {
    RangeTblEntry* entry = rt_fetch(number, level->query->rtable);
    ListCell* cell;
    foreach (cell, entry->securityQuals)
        put_parameter(castNode(OpExpr, lfirst(cell)), level->walk->tenant);
    Node* condition = reinterpret_cast<Node*>(make_ands_explicit(entry->securityQuals));
    auto* table = static_cast<Confined*>(palloc(sizeof(Confined)));
    *table = {entry->relid, compat::checked_user(level->query, entry),
              isolation::protection_of(entry->relid).tenant_column, static_cast<Index>(number),
              static_cast<Node*>(copyObjectImpl(condition))};
    level->walk->tables = lappend(level->walk->tables, table);
    return condition;
}

// The reference to a table in a join tree, with the table's condition beside it.
Node* with_condition(Node* reference, Level* level) {
    const int number = castNode(RangeTblRef, reference)->rtindex;
    Node* condition = note_table(number, level);
    RangeTblEntry* entry = rt_fetch(number, level->query->rtable);
    entry->securityQuals = NIL;
    return reinterpret_cast<Node*>(makeFromExpr(list_make1(reference), condition));
}

// At the place of the table itself, which under an outer join is not that of the WHERE clause.
Node* lower_tree(Node* node, Level* level) {
    check_stack_depth();
    if (IsA(node, RangeTblRef)) {
        const int number = castNode(RangeTblRef, node)->rtindex;
        return is_confined(rt_fetch(number, level->query->rtable)) ? with_condition(node, level)
                                                                   : node;
    }
    if (IsA(node, JoinExpr)) {
        auto* join = castNode(JoinExpr, node);
        join->larg = lower_tree(join->larg, level);
        join->rarg = lower_tree(join->rarg, level);
        return node;
    }
    ListCell* cell;
    foreach (cell, castNode(FromExpr, node)->fromlist)
        lfirst(cell) = lower_tree(static_cast<Node*>(lfirst(cell)), level);
    return node;
}

// What MERGE names stays as it is: from 17 on PostgreSQL takes nothing but tables and joins there.
bool lower_all(Query* query, void* walk) {
    Level level{query, static_cast<Walk*>(walk)};
    if (query->jointree != nullptr && query->commandType != CMD_MERGE)
        lower_tree(reinterpret_cast<Node*>(query->jointree), &level);
    return false;
}

// The barrier stays; trusted conditions pass it.
bool pass_trusted(Query* query, void* argument) {
    auto* walk = static_cast<Walk*>(argument);
    Level level{query, walk};
    Bitmapset* confined = nullptr;
    for (int number = 1; number <= list_length(query->rtable); number++) {
        if (!is_confined(rt_fetch(number, query->rtable)))
            continue;
        note_table(number, &level);
        confined = bms_add_member(confined, number);
    }
    move_trusted_conditions(query, confined, walk->parameters);
    return false;
}

} // namespace

List* open_barriers(Query* statement, ParamListInfo parameters, TenantParameters* tenant) {
    if (!context::setting::index_pushdown() || !visit_queries(statement, holds_any, nullptr) ||
        !has_stack_room())
        return NIL;
    Walk walk{parameters, NIL, tenant};
    visit_queries(statement, is_trusted(statement, parameters) ? lower_all : pass_trusted, &walk);
    return walk.tables;
}

} // namespace tenancy::planner
