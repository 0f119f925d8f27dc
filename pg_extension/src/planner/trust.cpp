// See trust.hpp. Plain C style throughout.
#include "planner/trust.hpp"

#include "bridge/compat.hpp"
#include "isolation/protected.hpp"
#include "planner/extension_trust.hpp"
#include "planner/search_function.hpp"

namespace tenancy::planner {

namespace {

// What is known while a statement is looked at. `planning` is as much of a planner's state as
// PostgreSQL needs to tell what an expression will be known to be.
struct Look {
    PlannerInfo planning;
    PlannerGlobal global;
};

void begin(Look& look, ParamListInfo parameters) {
    look = {};
    look.planning.type = T_PlannerInfo;
    look.planning.glob = &look.global;
    look.global.type = T_PlannerGlobal;
    look.global.boundParams = parameters;
}

bool ends_with_escape(Datum pattern) {
    struct varlena* value = PG_DETOAST_DATUM_PACKED(pattern);
    const char* text = VARDATA_ANY(value);
    int backslashes = 0;
    for (int at = static_cast<int>(VARSIZE_ANY_EXHDR(value)) - 1; at >= 0 && text[at] == '\\'; at--)
        backslashes++;
    return backslashes % 2 == 1;
}

// The patterns of LIKE ANY and LIKE ALL.
bool any_ends_with_escape(Datum patterns, Oid type) {
    int16 length;
    bool by_value;
    char alignment;
    Datum* values;
    bool* nulls;
    int count;
    get_typlenbyvalalign(type, &length, &by_value, &alignment);
    deconstruct_array(DatumGetArrayTypeP(patterns), type, length, by_value, alignment, &values,
                      &nulls, &count);
    for (int at = 0; at < count; at++)
        if (!nulls[at] && ends_with_escape(values[at]))
            return true;
    return false;
}

// A call of a function, by an operator or by its name.
struct Call {
    Oid operator_id; // InvalidOid: by its name
    Oid function;    // InvalidOid: of an operator that is gone
    List* arguments;
    Oid collation;
};

// Nothing but zeros for a node that is none.
Call call_of(const Node* node) {
    switch (nodeTag(node)) {
    case T_OpExpr:
    case T_DistinctExpr:
    case T_NullIfExpr: {
        const auto* operation = reinterpret_cast<const OpExpr*>(node);
        return {operation->opno, get_opcode(operation->opno), operation->args,
                operation->inputcollid};
    }
    case T_ScalarArrayOpExpr: {
        const auto* operation = castNode(ScalarArrayOpExpr, node);
        return {operation->opno, get_opcode(operation->opno), operation->args,
                operation->inputcollid};
    }
    case T_FuncExpr: {
        const auto* call = castNode(FuncExpr, node);
        return {InvalidOid, call->funcid, call->args, call->inputcollid};
    }
    default:
        return {InvalidOid, InvalidOid, NIL, InvalidOid};
    }
}

// Comparing texts may raise an error or a warning where no collation was found or with one of the
// user's, when there are values to be compared.
bool is_plain_collation(const Call& call) {
    if (OidIsValid(call.collation))
        return call.collation < FirstNormalObjectId &&
               get_collation_isdeterministic(call.collation);
    ListCell* cell;
    foreach (cell, call.arguments)
        if (type_is_collatable(exprType(static_cast<Node*>(lfirst(cell)))))
            return false;
    return true;
}

// LIKE's ESCAPE: anything longer than one character raises an error.
bool is_plain_escape(Node* node) {
    if (!IsA(node, Const) || castNode(Const, node)->constisnull)
        return false;
    struct varlena* value = PG_DETOAST_DATUM_PACKED(castNode(Const, node)->constvalue);
    return VARSIZE_ANY_EXHDR(value) <= 1;
}

// Calls of PostgreSQL's that raise nothing and whose result depends on their arguments alone. Being
// IMMUTABLE does not say so: quote_ident() follows a setting.
bool is_constant_call(const Call& call) {
    switch (call.function) {
    case F_TEXTCAT:
    case F_BYTEACAT:
    case F_LOWER_TEXT:
    case F_UPPER_TEXT:
    case F_REPLACE:
        return is_plain_collation(call);
    case F_LIKE_ESCAPE_TEXT_TEXT:
    case F_LIKE_ESCAPE_BYTEA_BYTEA:
        return is_plain_escape(static_cast<Node*>(lsecond(call.arguments)));
    default:
        return false;
    }
}

// Whether the planner may come to know another value of an expression than is known now: it pulls
// up sub-selects, and settings and functions of the user's change while it calls them.
bool may_change(Node* node, void*) {
    if (node == nullptr)
        return false;
    switch (nodeTag(node)) {
    case T_Const:
    case T_List:
    case T_ArrayExpr:
    case T_RelabelType:
    case T_CollateExpr:
        break;
    case T_Param:
        return castNode(Param, node)->paramkind != PARAM_EXTERN;
    case T_FuncExpr:
    case T_OpExpr:
        if (!is_constant_call(call_of(node)))
            return true;
        break;
    default:
        return true;
    }
    return compat::walk_expression(node, may_change, nullptr);
}

// A pattern that ends with its escape character raises an error where the rest matches. A parameter
// whose value is not known here the planner does not know either: it asks no statistics with it,
// and the executor meets own rows alone.
bool is_plain_pattern(Node* pattern, Look* look) {
    if (may_change(pattern, nullptr))
        return false;
    Node* known =
        estimate_expression_value(&look->planning, static_cast<Node*>(copyObjectImpl(pattern)));
    if (!IsA(known, Const) || castNode(Const, known)->constisnull)
        return true;
    const Datum value = castNode(Const, known)->constvalue;
    const Oid element = get_element_type(exprType(known));
    return !(OidIsValid(element) ? any_ends_with_escape(value, element) : ends_with_escape(value));
}

bool are_plain_types(const List* arguments) {
    ListCell* cell;
    foreach (cell, arguments)
        if (!is_plain_type(exprType(static_cast<Node*>(lfirst(cell)))))
            return false;
    return true;
}

// LIKE raises an error under a collation that calls different texts equal, before it looks at them.
bool is_plain_match(const Call& call, Look* look) {
    return list_length(call.arguments) == 2 && is_plain_collation(call) &&
           is_plain_pattern(static_cast<Node*>(lsecond(call.arguments)), look);
}

bool is_trusted_call(const Call& call, Look* look) {
    if (call.function < FirstNormalObjectId && get_func_leakproof(call.function))
        return true;
    if (is_trusted_addition(call.function))
        return true;
    switch (trust_of(call.function)) {
    case Trust::always:
        return true;
    case Trust::by_element:
        return are_plain_types(call.arguments) && is_plain_collation(call);
    case Trust::by_pattern:
        return is_plain_match(call, look);
    case Trust::none:
        break;
    }
    return false;
}

// Whether any operator family of this database lets an index answer the operator. In `trusted`,
// whether PostgreSQL or a known extension made all of them: their functions see what is in the
// index.
bool is_indexable(Oid operator_id, bool& trusted) {
    trusted = true;
    bool searched = false;
    CatCList* uses = SearchSysCacheList1(AMOPOPID, ObjectIdGetDatum(operator_id));
    for (int number = 0; number < uses->n_members; number++) {
        const auto* use = reinterpret_cast<Form_pg_amop>(GETSTRUCT(&uses->members[number]->tuple));
        if (use->amoppurpose != AMOP_SEARCH)
            continue;
        searched = true;
        trusted = trusted && is_trusted_family(use->amopfamily);
    }
    ReleaseSysCacheList(uses);
    return searched;
}

// Whether the statistics of a column are asked for an estimate of the operator.
bool is_estimated(Oid operator_id) {
    return OidIsValid(get_oprrest(operator_id)) || OidIsValid(get_oprjoin(operator_id));
}

// Calls that the planner replaces: a function in SQL by its body, and one with a support function
// by conditions on an index, or by an estimate of the support function's own. What is not
// PostgreSQL's own can become one of these while the planner calls it, or another session does.
bool stays_as_it_is(const Call& call, Look* look) {
    if (call.function >= FirstNormalObjectId)
        return is_trusted_addition(call.function) || is_own_function(call.function);
    HeapTuple tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(call.function));
    if (!HeapTupleIsValid(tuple))
        return false;
    const auto* form = reinterpret_cast<Form_pg_proc>(GETSTRUCT(tuple));
    const bool search = OidIsValid(form->prosupport) && form->prorettype == BOOLOID;
    ReleaseSysCache(tuple);
    return !search || is_trusted_call(call, look);
}

bool is_trusted_operator(const Call& call, Look* look) {
    // Most operators are these: nothing else needs to be looked up.
    if (call.operator_id < FirstNormalObjectId && get_func_leakproof(call.function))
        return true;
    if (call.operator_id >= FirstNormalObjectId)
        return is_trusted_addition(call.function);
    bool trusted_families;
    const bool indexable = is_indexable(call.operator_id, trusted_families);
    if (!indexable && !is_estimated(call.operator_id))
        return stays_as_it_is(call, look);
    return trusted_families && is_trusted_call(call, look);
}

// For whoever asks why a query is slow: SET client_min_messages = debug1.
void tell_distrust(const Call& call) {
    const bool by_operator = OidIsValid(call.operator_id);
    ereport(DEBUG1, (errmsg_internal("%s %s is not trusted with other tenants' values",
                                     by_operator ? "operator" : "function",
                                     by_operator ? format_operator_qualified(call.operator_id)
                                                 : format_procedure_qualified(call.function))));
}

bool distrusts_call(const Call& call, Look* look) {
    if (OidIsValid(call.operator_id) ? is_trusted_operator(call, look) : stays_as_it_is(call, look))
        return false;
    tell_distrust(call);
    return true;
}

bool distrusts_row_comparison(const RowCompareExpr* comparison, Look* look) {
    ListCell* cell;
    ListCell* left;
    ListCell* right;
    forthree(cell, comparison->opnos, left, comparison->largs, right, comparison->rargs) {
        const Oid compared = lfirst_oid(cell);
        List* arguments = list_make2(lfirst(left), lfirst(right));
        if (distrusts_call({compared, get_opcode(compared), arguments, InvalidOid}, look))
            return true;
    }
    return false;
}

bool distrusts(Node* node, void* argument);

bool distrusts_query(const Query* query, bool topmost, Look* look);

// Of what is no condition itself, the sub-selects: they have conditions of their own.
bool distrusts_sub_selects(Node* node, void* argument) {
    if (node == nullptr)
        return false;
    if (IsA(node, Query))
        return distrusts_query(castNode(Query, node), false, static_cast<Look*>(argument));
    return compat::walk_expression(node, distrusts_sub_selects, argument);
}

// What conditions are made of.
Query conditions_of(const Query* query, bool topmost) {
    Query conditions = *query;
    if (topmost)
        conditions.targetList = NIL;
    conditions.returningList = NIL;
    conditions.onConflict = nullptr;
    conditions.mergeActionList = NIL;
    conditions.withCheckOptions = NIL;
    return conditions;
}

// Everything else.
Query results_of(const Query* query, bool topmost) {
    Query results{};
    results.type = T_Query;
    results.targetList = topmost ? query->targetList : NIL;
    results.returningList = query->returningList;
    results.onConflict = query->onConflict;
    results.mergeActionList = query->mergeActionList;
    results.withCheckOptions = query->withCheckOptions;
    return results;
}

bool distrusts_query(const Query* query, bool topmost, Look* look) {
    Query conditions = conditions_of(query, topmost);
    if (compat::walk_query(&conditions, distrusts, look))
        return true;
    if (!query->hasSubLinks)
        return false;
    Query results = results_of(query, topmost);
    return compat::walk_query(&results, distrusts_sub_selects, look);
}

bool distrusts(Node* node, void* argument) {
    if (node == nullptr)
        return false;
    auto* look = static_cast<Look*>(argument);
    if (IsA(node, Query))
        return distrusts_query(castNode(Query, node), false, look);
    if (isolation::compared_column(node) != InvalidAttrNumber)
        return false;
    if (IsA(node, RowCompareExpr) && distrusts_row_comparison(castNode(RowCompareExpr, node), look))
        return true;
    const Call call = call_of(node);
    const bool is_call = OidIsValid(call.operator_id) || OidIsValid(call.function);
    if (is_call && distrusts_call(call, look))
        return true;
    return compat::walk_expression(node, distrusts, look);
}

bool may_raise_call(const Call& call, Look* look) {
    return !is_constant_call(call) && !is_trusted_call(call, look);
}

// Whether a condition could raise an error for a row that another condition beside it keeps away.
bool may_raise(Node* node, void* argument) {
    if (node == nullptr)
        return false;
    auto* look = static_cast<Look*>(argument);
    switch (nodeTag(node)) {
    case T_Var:
    case T_Const:
    case T_List:
    case T_ArrayExpr:
    case T_RelabelType:
    case T_CollateExpr:
    case T_BoolExpr:
    case T_NullTest:
    case T_BooleanTest:
        break;
    case T_Param:
        return castNode(Param, node)->paramkind != PARAM_EXTERN;
    case T_OpExpr:
    case T_ScalarArrayOpExpr:
        if (may_raise_call(call_of(node), look))
            return true;
        break;
    case T_FuncExpr:
        if (!is_constant_call(call_of(node)))
            return true;
        break;
    default:
        return true;
    }
    return compat::walk_expression(node, may_raise, argument);
}

} // namespace

bool is_trusted(Query* statement, ParamListInfo parameters) {
    Look look;
    begin(look, parameters);
    return !distrusts_query(statement, true, &look);
}

bool may_pass(Node* condition, ParamListInfo parameters) {
    Look look;
    begin(look, parameters);
    return !distrusts(condition, &look) && !may_raise(condition, &look);
}

bool is_known(Node* condition, ParamListInfo parameters) {
    Look look;
    begin(look, parameters);
    return IsA(eval_const_expressions(&look.planning, condition), Const);
}

} // namespace tenancy::planner
