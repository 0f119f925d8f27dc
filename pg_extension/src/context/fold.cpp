// See fold.hpp. Plain C style throughout.
#include "context/fold.hpp"

#include "bridge/compat.hpp"
#include "context/key_function.hpp"
#include "context/setting.hpp"
#include "context/state.hpp"
#include "planner/plan_tree.hpp"

namespace tenancy::context::fold {

namespace {

// Copying a plan takes some microseconds, as long as calling the function a thousand times does.
// In units of the planner's cost; a table of 4,000 rows costs about this to read.
constexpr Cost worth_copying = 100;

bool asks_for_key(Node* node, void*) {
    if (node == nullptr)
        return false;
    if (key_kind_of(node) != KeyKind::none)
        return true;
    return compat::walk_expression(node, asks_for_key, nullptr);
}

Node* with_constants(Node* node, void* argument) {
    if (node == nullptr)
        return nullptr;
    Const* known = key_constant(key_kind_of(node), *static_cast<const Context*>(argument));
    if (known != nullptr)
        return reinterpret_cast<Node*>(known);
    return compat::change_expression(node, with_constants, argument);
}

bool filters_by_key(Plan* plan, void*) {
    return asks_for_key(reinterpret_cast<Node*>(plan->qual), nullptr);
}

bool fold_filter(Plan* plan, void* context) {
    plan->qual =
        reinterpret_cast<List*>(with_constants(reinterpret_cast<Node*>(plan->qual), context));
    return false;
}

// Whether the plan is expensive and this backend may fix the tenant in it.
bool is_candidate(const QueryDesc* query, int flags) {
    return query->plannedstmt->planTree->total_cost >= worth_copying &&
           (flags & EXEC_FLAG_EXPLAIN_ONLY) == 0 && !IsParallelWorker() && !setting::test_mode() &&
           usable != nullptr && usable->kind == Kind::tenant &&
           usable->authority != Authority::internal; // ends before the transaction does
}

} // namespace

MemoryContext enter_constants(QueryDesc* query, int flags) {
    if (!is_candidate(query, flags))
        return nullptr;
    if (!planner::walk_plan(query->plannedstmt, filters_by_key, nullptr))
        return nullptr;
    MemoryContext own = planner::copy_plan(query);
    MemoryContext previous = MemoryContextSwitchTo(own);
    planner::walk_plan(query->plannedstmt, fold_filter, const_cast<Context*>(usable));
    MemoryContextSwitchTo(previous);
    return own;
}

} // namespace tenancy::context::fold
