// See fold.hpp. Plain C style throughout.
#include "context/fold.hpp"

#include "bridge/compat.hpp"
#include "context/registry.hpp"
#include "context/setting.hpp"
#include "context/state.hpp"
#include "planner/plan_tree.hpp"

namespace tenancy::context::fold {

namespace {

// Copying a plan takes some microseconds, as long as calling the function a thousand times does.
// In units of the planner's cost; a table of 4,000 rows costs about this to read.
constexpr Cost worth_copying = 100;

enum class Key : uint8 { id, external_id, external_bigint, external_integer };
constexpr int key_count = 4;
constexpr const char* function_names[key_count] = {
    "current_tenant_id", "current_tenant_external_id", "current_tenant_external_bigint",
    "current_tenant_external_integer"};

struct Functions {
    uint64 epoch; // of the registry, when they were looked up
    Oid oids[key_count];
};
constinit Functions functions{};

void look_up_functions() {
    if (functions.epoch == registry::epoch())
        return;
    const uint64 epoch = registry::epoch();
    for (int key = 0; key < key_count; key++) {
        List* name =
            list_make2(makeString(pstrdup("tenancy")), makeString(pstrdup(function_names[key])));
        functions.oids[key] = LookupFuncName(name, 0, nullptr, true);
    }
    functions.epoch = epoch;
}

// Which key a node asks for, or -1.
int key_asked_by(const Node* node) {
    if (!IsA(node, FuncExpr))
        return -1;
    const Oid function = castNode(FuncExpr, node)->funcid;
    for (int key = 0; key < key_count; key++)
        if (function == functions.oids[key])
            return key;
    return -1;
}

bool asks_for_key(Node* node, void*) {
    if (node == nullptr)
        return false;
    if (key_asked_by(node) >= 0)
        return true;
    return compat::walk_expression(node, asks_for_key, nullptr);
}

Const* constant(Oid type, int16 length, Datum value, bool by_value) {
    return makeConst(type, -1, get_typcollation(type), length, value, false, by_value);
}

// What the function answers in this context; nullptr where it would raise, which is left to it.
Const* answer(Key key, const Context& context) {
    switch (key) {
    case Key::id: {
        auto* id = static_cast<pg_uuid_t*>(palloc(sizeof(pg_uuid_t)));
        *id = context.tenant;
        return constant(UUIDOID, UUID_LEN, UUIDPGetDatum(id), false);
    }
    case Key::external_id:
        if (context.external_id[0] == '\0')
            return nullptr;
        return constant(TEXTOID, -1, CStringGetTextDatum(context.external_id), false);
    case Key::external_bigint:
        if (!context.has_external_bigint)
            return nullptr;
        return constant(INT8OID, sizeof(int64), Int64GetDatum(context.external_bigint),
                        FLOAT8PASSBYVAL);
    case Key::external_integer:
        if (!context.has_external_bigint || context.external_bigint < PG_INT32_MIN ||
            context.external_bigint > PG_INT32_MAX)
            return nullptr;
        return constant(INT4OID, sizeof(int32),
                        Int32GetDatum(static_cast<int32>(context.external_bigint)), true);
    }
    return nullptr;
}

Node* with_constants(Node* node, void* argument) {
    if (node == nullptr)
        return nullptr;
    if (const int key = key_asked_by(node); key >= 0) {
        Const* known = answer(static_cast<Key>(key), *static_cast<const Context*>(argument));
        if (known != nullptr)
            return reinterpret_cast<Node*>(known);
    }
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
    look_up_functions();
    if (!planner::walk_plan(query->plannedstmt, filters_by_key, nullptr))
        return nullptr;
    MemoryContext own =
        AllocSetContextCreate(CurrentMemoryContext, "tenancy plan", ALLOCSET_SMALL_SIZES);
    MemoryContext previous = MemoryContextSwitchTo(own);
    query->plannedstmt = castNode(PlannedStmt, copyObjectImpl(query->plannedstmt));
    planner::walk_plan(query->plannedstmt, fold_filter, const_cast<Context*>(usable));
    MemoryContextSwitchTo(previous);
    return own;
}

void keep_with(MemoryContext plan, QueryDesc* query) {
    if (plan != nullptr)
        MemoryContextSetParent(plan, query->estate->es_query_cxt);
}

} // namespace tenancy::context::fold
