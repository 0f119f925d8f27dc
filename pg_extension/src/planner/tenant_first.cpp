// See tenant_first.hpp. Plain C style throughout.
#include "planner/tenant_first.hpp"

#include "bridge/compat.hpp"
#include "isolation/protected.hpp"
#include "planner/plan_tree.hpp"
#include "planner/pushdown.hpp"

namespace tenancy::planner {

namespace {

struct Plans {
    PlannedStmt* planned;
    List* tables;
};

// The table of the query that a partition or child was planned for.
Index root_of(Index number, const PlannedStmt* planned) {
    bool found;
    do {
        found = false;
        ListCell* cell;
        foreach (cell, planned->appendRelations) {
            const auto* child = lfirst_node(AppendRelInfo, cell);
            if (child->child_relid != number || !OidIsValid(child->child_reltype))
                continue;
            number = child->parent_relid;
            found = true;
            break;
        }
    } while (found);
    return number;
}

const Confined* confined_table(Index number, const Plans* plans) {
    const auto* entry = rt_fetch(root_of(number, plans->planned), plans->planned->rtable);
    if (entry->rtekind != RTE_RELATION)
        return nullptr;
    const Oid user = compat::checked_user(plans->planned, entry);
    ListCell* cell;
    foreach (cell, plans->tables) {
        const auto* table = static_cast<const Confined*>(lfirst(cell));
        if (table->relation == entry->relid && table->user == user)
            return table;
    }
    return nullptr;
}

// The table of a query and the child that is scanned in its place.
struct Translation {
    Oid from;
    Oid to;
};

bool translate_columns(Node* node, void* argument) {
    if (node == nullptr)
        return false;
    if (IsA(node, Var)) {
        const auto* translation = static_cast<const Translation*>(argument);
        auto* variable = castNode(Var, node);
        variable->varattno =
            get_attnum(translation->to, get_attname(translation->from, variable->varattno, false));
        return false;
    }
    return compat::walk_expression(node, translate_columns, argument);
}

// The tenant's condition for the table that is scanned as this entry of the range table.
Node* condition_of(const Confined* table, Index number, const PlannedStmt* planned) {
    auto* condition = static_cast<Node*>(copyObjectImpl(table->condition));
    const Oid scanned = rt_fetch(number, planned->rtable)->relid;
    if (scanned != table->relation) {
        Translation translation{table->relation, scanned};
        translate_columns(condition, &translation);
    }
    ChangeVarNodes(condition, static_cast<int>(table->number), static_cast<int>(number), 0);
    fix_opfuncids(condition);
    return condition;
}

// Moves the tenant's condition to the front of the conditions; false when they do not hold it.
bool move_to_front(List** conditions, AttrNumber column) {
    ListCell* cell;
    foreach (cell, *conditions) {
        auto* condition = static_cast<Node*>(lfirst(cell));
        if (column == InvalidAttrNumber || isolation::compared_column(condition) != column)
            continue;
        *conditions = lcons(condition, foreach_delete_current(*conditions, cell));
        return true;
    }
    return false;
}

// The tenant's column as a scan numbers it; InvalidAttrNumber where an index lacks it.
AttrNumber column_in_scan(Plan* plan, const Confined* table, const PlannedStmt* planned) {
    AttrNumber column = table->column;
    const Oid scanned = rt_fetch(reinterpret_cast<Scan*>(plan)->scanrelid, planned->rtable)->relid;
    if (scanned != table->relation)
        column = get_attnum(scanned, get_attname(table->relation, column, false));
    if (!IsA(plan, IndexOnlyScan))
        return column;
    ListCell* cell;
    foreach (cell, reinterpret_cast<IndexOnlyScan*>(plan)->indextlist) {
        const auto* entry = lfirst_node(TargetEntry, cell);
        if (!entry->resjunk && IsA(entry->expr, Var) &&
            castNode(Var, entry->expr)->varattno == column)
            return entry->resno;
    }
    return InvalidAttrNumber;
}

// What a scan evaluates again where an index was not exact.
List** rechecked_conditions(Plan* plan) {
    switch (nodeTag(plan)) {
    case T_IndexScan:
        return &reinterpret_cast<IndexScan*>(plan)->indexqualorig;
    case T_IndexOnlyScan:
        return &reinterpret_cast<IndexOnlyScan*>(plan)->recheckqual;
    case T_BitmapHeapScan:
        return &reinterpret_cast<BitmapHeapScan*>(plan)->bitmapqualorig;
    default:
        return nullptr;
    }
}

bool is_btree(Oid index) {
    HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(index));
    if (!HeapTupleIsValid(tuple))
        elog(ERROR, "cache lookup failed for index %u", index);
    const bool found = reinterpret_cast<Form_pg_class>(GETSTRUCT(tuple))->relam == BTREE_AM_OID;
    ReleaseSysCache(tuple);
    return found;
}

// A bitmap forgets which rows of a page it meant when memory runs out; a btree never asks to look
// again.
bool may_recheck(Plan* plan) {
    switch (nodeTag(plan)) {
    case T_IndexScan:
        return !is_btree(reinterpret_cast<IndexScan*>(plan)->indexid);
    case T_IndexOnlyScan:
        return !is_btree(reinterpret_cast<IndexOnlyScan*>(plan)->indexid);
    default:
        return true;
    }
}

// Rewrites columns of a table as those of the index that is scanned instead of it.
Node* as_index_columns(Node* node, void* columns) {
    if (node == nullptr)
        return nullptr;
    if (!IsA(node, Var))
        return compat::change_expression(node, as_index_columns, columns);
    ListCell* cell;
    foreach (cell, static_cast<List*>(columns)) {
        const auto* column = lfirst_node(TargetEntry, cell);
        if (column->resjunk || !equal(column->expr, node)) // junk is what the index cannot return
            continue;
        auto* variable = castNode(Var, copyObjectImpl(node));
        variable->varno = INDEX_VAR;
        variable->varattno = column->resno;
        return reinterpret_cast<Node*>(variable);
    }
    elog(ERROR, "an index-only scan of a protected table lacks the tenant column");
}

Node* condition_for(Plan* plan, const Confined* table, const PlannedStmt* planned) {
    const Index number = reinterpret_cast<Scan*>(plan)->scanrelid;
    Node* condition = condition_of(table, number, planned);
    if (IsA(plan, IndexOnlyScan))
        condition = as_index_columns(condition, reinterpret_cast<IndexOnlyScan*>(plan)->indextlist);
    return condition;
}

bool is_scan_of_table(const Plan* plan) {
    switch (nodeTag(plan)) {
    case T_SeqScan:
    case T_SampleScan:
    case T_IndexScan:
    case T_IndexOnlyScan:
    case T_BitmapHeapScan:
    case T_TidScan:
    case T_TidRangeScan:
    case T_ForeignScan:
    case T_CustomScan:
        return reinterpret_cast<const Scan*>(plan)->scanrelid > 0;
    default:
        return false;
    }
}

bool confine(Plan* plan, void* argument) {
    if (!is_scan_of_table(plan))
        return false;
    const auto* plans = static_cast<const Plans*>(argument);
    const Confined* table = confined_table(reinterpret_cast<Scan*>(plan)->scanrelid, plans);
    if (table == nullptr)
        return false;
    const AttrNumber column = column_in_scan(plan, table, plans->planned);
    List** rechecked = rechecked_conditions(plan);
    // An index that answers the tenant's condition returns the tenant's rows alone.
    if (rechecked != nullptr && move_to_front(rechecked, column))
        return false;
    const bool filtered = move_to_front(&plan->qual, column);
    if (!filtered)
        plan->qual = lcons(condition_for(plan, table, plans->planned), plan->qual);
    if (rechecked != nullptr && *rechecked != NIL && may_recheck(plan))
        *rechecked = lcons(condition_for(plan, table, plans->planned), *rechecked);
    return false;
}

// Of which table a relation is planned as a part, or itself.
Oid table_of(PlannerInfo* planner, Oid relation, const RelOptInfo* planned) {
    int number;
    if (planned->top_parent_relids == nullptr ||
        !bms_get_singleton_member(planned->top_parent_relids, &number))
        return relation;
    return planner_rt_fetch(number, planner)->relid;
}

} // namespace

void keep_tenant_column(PlannerInfo* planner, Oid relation, RelOptInfo* planned) {
    ListCell* cell;
    foreach (cell, planned->indexlist) {
        const auto* index = lfirst_node(IndexOptInfo, cell);
        if (index->indpred != NIL && isolation::is_protected(table_of(planner, relation, planned)))
            memset(index->canreturn, 0, sizeof(bool) * static_cast<size_t>(index->ncolumns));
    }
}

void put_tenant_first(PlannedStmt* planned, List* tables) {
    Plans plans{planned, tables};
    if (tables != NIL)
        walk_plan(planned, confine, &plans);
}

} // namespace tenancy::planner
