// See plan_tree.hpp.
#include "planner/plan_tree.hpp"

#include "bridge/compat.hpp"

namespace tenancy::planner {

namespace {

bool walk(Plan* plan, Visit visit, void* argument);

bool walk_list(List* plans, Visit visit, void* argument) {
    ListCell* cell;
    foreach (cell, plans)
        if (walk(static_cast<Plan*>(lfirst(cell)), visit, argument))
            return true;
    return false;
}

bool walk(Plan* plan, Visit visit, void* argument) {
    if (plan == nullptr)
        return false;
    check_stack_depth();
    if (visit(plan, argument) || walk(plan->lefttree, visit, argument) ||
        walk(plan->righttree, visit, argument))
        return true;
    switch (nodeTag(plan)) {
    case T_Append:
        return walk_list(reinterpret_cast<Append*>(plan)->appendplans, visit, argument);
    case T_MergeAppend:
        return walk_list(reinterpret_cast<MergeAppend*>(plan)->mergeplans, visit, argument);
    case T_BitmapAnd:
        return walk_list(reinterpret_cast<BitmapAnd*>(plan)->bitmapplans, visit, argument);
    case T_BitmapOr:
        return walk_list(reinterpret_cast<BitmapOr*>(plan)->bitmapplans, visit, argument);
    case T_SubqueryScan:
        return walk(reinterpret_cast<SubqueryScan*>(plan)->subplan, visit, argument);
    case T_CustomScan:
        return walk_list(reinterpret_cast<CustomScan*>(plan)->custom_plans, visit, argument);
    default:
        return false;
    }
}

struct Expressions {
    VisitExpression visit;
    void* argument;
};

template <typename... Expression>
void visit_each(const Expressions* walk, Expression*... expression) {
    (walk->visit(reinterpret_cast<Node*>(expression), walk->argument), ...);
}

void visit_steps(const List* steps, const Expressions* walk) {
    ListCell* cell;
    foreach (cell, steps)
        if (IsA(lfirst(cell), PartitionPruneStepOp))
            visit_each(walk, lfirst_node(PartitionPruneStepOp, cell)->exprs);
}

void visit_pruning(const PartitionPruneInfo* pruning, const Expressions* walk) {
    if (pruning == nullptr)
        return;
    ListCell* tables;
    ListCell* cell;
    foreach (tables, pruning->prune_infos)
        foreach (cell, lfirst_node(List, tables)) {
            const auto* table = lfirst_node(PartitionedRelPruneInfo, cell);
            visit_steps(table->initial_pruning_steps, walk);
            visit_steps(table->exec_pruning_steps, walk);
        }
}

void visit_scan(Plan* plan, const Expressions* walk) {
    switch (nodeTag(plan)) {
    case T_SampleScan:
        visit_each(walk, reinterpret_cast<SampleScan*>(plan)->tablesample);
        break;
    case T_IndexScan: {
        const auto* scan = reinterpret_cast<IndexScan*>(plan);
        visit_each(walk, scan->indexqual, scan->indexqualorig, scan->indexorderby,
                   scan->indexorderbyorig);
        break;
    }
    case T_IndexOnlyScan: {
        const auto* scan = reinterpret_cast<IndexOnlyScan*>(plan);
        visit_each(walk, scan->indexqual, scan->recheckqual, scan->indexorderby);
        break;
    }
    case T_BitmapIndexScan: {
        const auto* scan = reinterpret_cast<BitmapIndexScan*>(plan);
        visit_each(walk, scan->indexqual, scan->indexqualorig);
        break;
    }
    case T_BitmapHeapScan:
        visit_each(walk, reinterpret_cast<BitmapHeapScan*>(plan)->bitmapqualorig);
        break;
    case T_TidScan:
        visit_each(walk, reinterpret_cast<TidScan*>(plan)->tidquals);
        break;
    case T_TidRangeScan:
        visit_each(walk, reinterpret_cast<TidRangeScan*>(plan)->tidrangequals);
        break;
    case T_FunctionScan:
        visit_each(walk, reinterpret_cast<FunctionScan*>(plan)->functions);
        break;
    case T_ValuesScan:
        visit_each(walk, reinterpret_cast<ValuesScan*>(plan)->values_lists);
        break;
    case T_TableFuncScan:
        visit_each(walk, reinterpret_cast<TableFuncScan*>(plan)->tablefunc);
        break;
    case T_ForeignScan: {
        const auto* scan = reinterpret_cast<ForeignScan*>(plan);
        visit_each(walk, scan->fdw_exprs, scan->fdw_recheck_quals);
        break;
    }
    case T_CustomScan:
        visit_each(walk, reinterpret_cast<CustomScan*>(plan)->custom_exprs);
        break;
    default:
        break;
    }
}

void visit_join(Plan* plan, const Expressions* walk) {
    visit_each(walk, reinterpret_cast<Join*>(plan)->joinqual);
    if (IsA(plan, MergeJoin))
        visit_each(walk, reinterpret_cast<MergeJoin*>(plan)->mergeclauses);
    if (IsA(plan, HashJoin))
        visit_each(walk, reinterpret_cast<HashJoin*>(plan)->hashclauses,
                   reinterpret_cast<HashJoin*>(plan)->hashkeys);
}

void visit_changes(const ModifyTable* change, const Expressions* walk) {
    visit_each(walk, change->withCheckOptionLists, change->returningLists, change->onConflictSet,
               change->onConflictWhere, change->mergeActionLists);
    compat::visit_merge_conditions(change, [&](List* conditions) { visit_each(walk, conditions); });
}

bool visit_expressions(Plan* plan, void* argument) {
    const auto* walk = static_cast<const Expressions*>(argument);
    visit_each(walk, plan->targetlist, plan->qual);
    switch (nodeTag(plan)) {
    case T_Result:
        visit_each(walk, reinterpret_cast<Result*>(plan)->resconstantqual);
        break;
    case T_ModifyTable:
        visit_changes(reinterpret_cast<ModifyTable*>(plan), walk);
        break;
    case T_Append:
    case T_MergeAppend:
        visit_pruning(compat::pruning_of(plan), walk);
        break;
    case T_NestLoop:
    case T_MergeJoin:
    case T_HashJoin:
        visit_join(plan, walk);
        break;
    case T_Memoize:
        visit_each(walk, reinterpret_cast<Memoize*>(plan)->param_exprs);
        break;
    case T_Hash:
        visit_each(walk, reinterpret_cast<Hash*>(plan)->hashkeys);
        break;
    case T_WindowAgg: {
        const auto* window = reinterpret_cast<WindowAgg*>(plan);
        visit_each(walk, window->startOffset, window->endOffset, window->runCondition,
                   window->runConditionOrig);
        break;
    }
    case T_Limit:
        visit_each(walk, reinterpret_cast<Limit*>(plan)->limitOffset,
                   reinterpret_cast<Limit*>(plan)->limitCount);
        break;
    default:
        visit_scan(plan, walk);
        break;
    }
    return false;
}

} // namespace

bool walk_plan(const PlannedStmt* statement, Visit visit, void* argument) {
    return walk(statement->planTree, visit, argument) ||
           walk_list(statement->subplans, visit, argument);
}

void walk_plan_expressions(const PlannedStmt* statement, VisitExpression visit, void* argument) {
    Expressions walk{visit, argument};
    walk_plan(statement, visit_expressions, &walk);
    compat::visit_prunings(
        statement, [&](const PartitionPruneInfo* pruning) { visit_pruning(pruning, &walk); });
}

MemoryContext copy_plan(QueryDesc* query) {
    MemoryContext own =
        AllocSetContextCreate(CurrentMemoryContext, "tenancy plan", ALLOCSET_SMALL_SIZES);
    MemoryContext previous = MemoryContextSwitchTo(own);
    query->plannedstmt = castNode(PlannedStmt, copyObjectImpl(query->plannedstmt));
    MemoryContextSwitchTo(previous);
    return own;
}

void keep_plan(MemoryContext plan, QueryDesc* query) {
    if (plan != nullptr)
        MemoryContextSetParent(plan, query->estate->es_query_cxt);
}

} // namespace tenancy::planner
