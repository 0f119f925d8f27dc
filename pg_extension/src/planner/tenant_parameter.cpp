// See tenant_parameter.hpp. Plain C style throughout.
#include "planner/tenant_parameter.hpp"

#include "bridge/compat.hpp"
#include "planner/plan_tree.hpp"

namespace tenancy::planner {

namespace {

using context::KeyKind;

// No statement numbers its own parameters as high. A kind is added to it.
constexpr int first_number = 1 << 20;
constexpr int kinds = lengthof(TenantParameters{}.calls);

KeyKind kind_of(int number) {
    return number >= first_number && number < first_number + kinds
               ? static_cast<KeyKind>(number - first_number)
               : KeyKind::none;
}

// A value without PARAM_FLAG_CONST is for estimates alone.
void fetch_tenant(KeyKind kind, ParamExternData* found) {
    *found = {};
    const context::Context* tenant = context::for_planning();
    Const* value = tenant == nullptr ? nullptr : context::key_constant(kind, *tenant);
    if (value == nullptr)
        return;
    found->value = value->constvalue;
    found->ptype = value->consttype;
}

extern "C" {
static ParamExternData* tenancy_fetch_parameter(ParamListInfo list, int number, bool speculative,
                                                ParamExternData* found) {
    const auto* parameters = static_cast<const TenantParameters*>(list->paramFetchArg);
    ParamListInfo others = parameters->others;
    if (kind_of(number) != KeyKind::none)
        fetch_tenant(kind_of(number), found);
    else if (others == nullptr || number > others->numParams)
        *found = {};
    else if (others->paramFetch != nullptr)
        return others->paramFetch(others, number, speculative, found);
    else
        return &others->params[number - 1];
    return found;
}
}

Param* parameter_for(const FuncExpr* call, KeyKind kind) {
    auto* parameter = makeNode(Param);
    parameter->paramkind = PARAM_EXTERN;
    parameter->paramid = first_number + static_cast<int>(kind);
    parameter->paramtype = call->funcresulttype;
    parameter->paramtypmod = -1;
    parameter->paramcollid = call->funccollid;
    parameter->location = -1;
    return parameter;
}

void put_call_back(Node** place, const TenantParameters* parameters) {
    if (*place == nullptr || !IsA(*place, Param) ||
        castNode(Param, *place)->paramkind != PARAM_EXTERN)
        return;
    const KeyKind kind = kind_of(castNode(Param, *place)->paramid);
    if (kind != KeyKind::none)
        *place = static_cast<Node*>(copyObjectImpl(parameters->calls[static_cast<int>(kind)]));
}

void put_calls_back_in_list(List* expressions, const TenantParameters* parameters) {
    ListCell* cell;
    foreach (cell, expressions)
        put_call_back(reinterpret_cast<Node**>(&lfirst(cell)), parameters);
}

// A parameter is one side of a comparison, perhaps under another name of its type, or alone in a
// list that is looked for in partitions.
bool put_calls_back_in(Node* node, void* argument) {
    if (node == nullptr)
        return false;
    const auto* parameters = static_cast<const TenantParameters*>(argument);
    if (IsA(node, OpExpr))
        put_calls_back_in_list(castNode(OpExpr, node)->args, parameters);
    else if (IsA(node, List))
        put_calls_back_in_list(reinterpret_cast<List*>(node), parameters);
    else if (IsA(node, RelabelType))
        put_call_back(reinterpret_cast<Node**>(&castNode(RelabelType, node)->arg), parameters);
    return compat::walk_expression(node, put_calls_back_in, argument);
}

// The plan depends on the functions as it would have, had the planner seen them.
void note_functions(PlannedStmt* planned, const TenantParameters* parameters) {
    for (const FuncExpr* call : parameters->calls) {
        if (call == nullptr)
            continue;
        auto* item = makeNode(PlanInvalItem);
        item->cacheId = PROCOID;
        item->hashValue = GetSysCacheHashValue1(PROCOID, ObjectIdGetDatum(call->funcid));
        planned->invalItems = lappend(planned->invalItems, item);
    }
}

bool is_used(const TenantParameters* parameters) {
    for (const FuncExpr* call : parameters->calls)
        if (call != nullptr)
            return true;
    return false;
}

} // namespace

void put_parameter(OpExpr* condition, TenantParameters* parameters) {
    auto* call = castNode(FuncExpr, lsecond(condition->args));
    const KeyKind kind = context::key_kind_of(call->funcid);
    parameters->calls[static_cast<int>(kind)] = call;
    lsecond(condition->args) = parameter_for(call, kind);
}

ParamListInfo parameters_with_tenant(TenantParameters* parameters, ParamListInfo others) {
    if (!is_used(parameters))
        return others;
    parameters->others = others;
    ParamListInfo all = makeParamList(0);
    all->numParams = first_number + kinds;
    all->paramFetch = tenancy_fetch_parameter;
    all->paramFetchArg = parameters;
    return all;
}

void put_calls_back(PlannedStmt* planned, const TenantParameters* parameters) {
    if (!is_used(parameters))
        return;
    walk_plan_expressions(planned, put_calls_back_in, const_cast<TenantParameters*>(parameters));
    note_functions(planned, parameters);
}

} // namespace tenancy::planner
