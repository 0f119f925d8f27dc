// See tenant_parameter.hpp. Plain C style throughout.
#include "planner/tenant_parameter.hpp"

#include "bridge/compat.hpp"
#include "bridge/entry.hpp"
#include "planner/plan_tree.hpp"

namespace tenancy::planner {

using context::KeyKind;

// The parameters of a query that runs. Lives from its start to its end.
struct RunningParameters {
    ParamListInfo others; // the statement's own, or nullptr
    MemoryContextCallback end;
    ParamListInfoData list; // last: it has an array at its end
};

namespace {

ParamExternData* fetch_other(ParamListInfo others, int number, bool speculative,
                             ParamExternData* found) {
    if (others == nullptr || number > others->numParams) {
        *found = {};
        return found;
    }
    return others->paramFetch != nullptr ? others->paramFetch(others, number, speculative, found)
                                         : &others->params[number - 1];
}

// A value without PARAM_FLAG_CONST is for estimates alone.
void estimate_tenant(KeyKind kind, ParamExternData* found) {
    *found = {};
    const context::Context* tenant = context::for_planning();
    const Const* value = tenant == nullptr ? nullptr : context::key_constant(kind, *tenant);
    if (value == nullptr)
        return;
    found->value = value->constvalue;
    found->ptype = value->consttype;
}

Oid type_of(KeyKind kind) {
    switch (kind) {
    case KeyKind::uuid:
        return UUIDOID;
    case KeyKind::text:
        return TEXTOID;
    case KeyKind::bigint:
        return INT8OID;
    case KeyKind::integer:
        return INT4OID;
    case KeyKind::none:
        break;
    }
    return InvalidOid;
}

void ask_tenant(KeyKind kind, ParamExternData* found) {
    found->value = context::key_answer(kind, &found->isnull);
}

extern "C" {
static ParamExternData* tenancy_estimate_parameter(ParamListInfo list, int number, bool speculative,
                                                   ParamExternData* found) {
    const auto* parameters = static_cast<const TenantParameters*>(list->paramFetchArg);
    const KeyKind kind = context::key_kind_of_parameter(number);
    if (kind == KeyKind::none)
        return fetch_other(parameters->others, number, speculative, found);
    estimate_tenant(kind, found);
    return found;
}

// Called for each row, as the function: entry<> only where something may raise.
static ParamExternData* tenancy_ask_parameter(ParamListInfo list, int number, bool speculative,
                                              ParamExternData* found) {
    const KeyKind kind = context::key_kind_of_parameter(number);
    if (kind == KeyKind::none)
        return fetch_other(static_cast<RunningParameters*>(list->paramFetchArg)->others, number,
                           speculative, found);
    *found = {0, false, 0, type_of(kind)};
    const context::Context* tenant = context::usable_tenant();
    if (likely(kind == KeyKind::uuid && tenant != nullptr))
        found->value = UUIDPGetDatum(&tenant->tenant);
    else
        entry<ask_tenant>(kind, found);
    return found;
}

static void tenancy_end_parameters(void* running) {
    pfree(running);
}
}

// Names no parameter's value itself; the numbers of the tenant's are the highest.
void init_list(ParamListInfo list, ParamFetchHook fetch, void* argument) {
    *list = {};
    list->numParams = PG_INT32_MAX;
    list->paramFetch = fetch;
    list->paramFetchArg = argument;
}

void put_call_back(Node** place) {
    if (*place == nullptr || !IsA(*place, Param) || context::key_kind_of(*place) == KeyKind::none)
        return;
    *place = reinterpret_cast<Node*>(context::key_call(castNode(Param, *place)));
}

void put_calls_back_in_list(List* expressions) {
    ListCell* cell;
    foreach (cell, expressions)
        put_call_back(reinterpret_cast<Node**>(&lfirst(cell)));
}

// A parameter is one side of a comparison, perhaps under another name of its type, or alone in a
// list that is looked for in partitions.
bool put_calls_back_in(Node* node, void*) {
    if (node == nullptr)
        return false;
    if (IsA(node, OpExpr))
        put_calls_back_in_list(castNode(OpExpr, node)->args);
    else if (IsA(node, List))
        put_calls_back_in_list(reinterpret_cast<List*>(node));
    else if (IsA(node, RelabelType))
        put_call_back(reinterpret_cast<Node**>(&castNode(RelabelType, node)->arg));
    return compat::walk_expression(node, put_calls_back_in, nullptr);
}

bool may_hold_parameters(const PlannedStmt* planned) {
    return planned->dependsOnRole && !planned->parallelModeNeeded;
}

} // namespace

void put_parameter(OpExpr* condition, TenantParameters* parameters) {
    Node* call = static_cast<Node*>(lsecond(condition->args));
    if (!IsA(call, FuncExpr)) // it is there already
        return;
    lsecond(condition->args) = context::key_parameter(castNode(FuncExpr, call));
    parameters->used = true;
}

ParamListInfo parameters_to_plan_with(TenantParameters* parameters, ParamListInfo others) {
    if (!parameters->used)
        return others;
    parameters->others = others;
    ParamListInfo all = makeParamList(0);
    init_list(all, tenancy_estimate_parameter, parameters);
    return all;
}

void settle_parameters(PlannedStmt* planned, const TenantParameters* parameters) {
    if (!parameters->used)
        return;
    planned->dependsOnRole = true;
    if (planned->parallelModeNeeded)
        walk_plan_expressions(planned, put_calls_back_in, nullptr);
}

MemoryContext show_calls(QueryDesc* query, int flags, MemoryContext own_plan) {
    if ((query->instrument_options == 0 && (flags & EXEC_FLAG_EXPLAIN_ONLY) == 0) ||
        !may_hold_parameters(query->plannedstmt))
        return own_plan;
    MemoryContext own = own_plan != nullptr ? own_plan : copy_plan(query);
    MemoryContext previous = MemoryContextSwitchTo(own);
    walk_plan_expressions(query->plannedstmt, put_calls_back_in, nullptr);
    MemoryContextSwitchTo(previous);
    return own;
}

RunningParameters* begin_parameters(QueryDesc* query) {
    if (!may_hold_parameters(query->plannedstmt))
        return nullptr;
    auto* running = static_cast<RunningParameters*>(palloc(sizeof(RunningParameters)));
    running->others = query->params;
    running->end = {tenancy_end_parameters, running, nullptr};
    init_list(&running->list, tenancy_ask_parameter, running);
    query->params = &running->list;
    return running;
}

void keep_parameters(RunningParameters* kept, QueryDesc* query) {
    if (kept == nullptr)
        return;
    query->params = kept->others;
    MemoryContextRegisterResetCallback(query->estate->es_query_cxt, &kept->end);
}

} // namespace tenancy::planner
