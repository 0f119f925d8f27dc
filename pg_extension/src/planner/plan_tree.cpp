// See plan_tree.hpp.
#include "planner/plan_tree.hpp"

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

} // namespace

bool walk_plan(const PlannedStmt* statement, Visit visit, void* argument) {
    return walk(statement->planTree, visit, argument) ||
           walk_list(statement->subplans, visit, argument);
}

} // namespace tenancy::planner
