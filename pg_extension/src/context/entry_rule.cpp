// See entry_rule.hpp.
#include "context/entry_rule.hpp"

#include "context/registry.hpp"
#include "context/state.hpp"

namespace tenancy::context::entry_rule {

namespace {

constinit const PlannedStmt* accepted = nullptr; // an entry statement that has started
constinit bool accepted_is_bound = false;        // whether its tenant is a parameter
constinit const QueryDesc* running = nullptr;

// The last text that kept the rule: applications send the same one again and again.
constexpr Size remembered_size = 128;
constinit char remembered_text[remembered_size] = "";
constinit int remembered_location = -1;
constinit bool remembered_is_bound = false;

bool is_entry_function(Oid function) {
    static constinit Oid known = InvalidOid;
    static constinit uint64 known_epoch = 0;
    if (function == known && known_epoch == registry::epoch())
        return true;
    const uint64 epoch = registry::epoch();
    const char* schema = get_namespace_name(get_func_namespace(function));
    if (schema == nullptr || strcmp(schema, "tenancy") != 0)
        return false;
    const char* name = get_func_name(function);
    const bool is_entry =
        strcmp(name, "enter") == 0 || strcmp(name, "enter_all") == 0 || strcmp(name, "switch") == 0;
    if (is_entry) {
        known = function;
        known_epoch = epoch;
    }
    return is_entry;
}

// Whether a plan does nothing but call one function once.
bool only_calls_entry(const PlannedStmt* statement) {
    if (statement->commandType != CMD_SELECT || statement->subplans != NIL ||
        statement->hasModifyingCTE || statement->rowMarks != NIL ||
        !IsA(statement->planTree, Result))
        return false;
    const auto* result = castNode(Result, statement->planTree);
    const Plan* plan = &result->plan;
    if (plan->lefttree != nullptr || plan->righttree != nullptr || plan->initPlan != NIL ||
        plan->qual != NIL || result->resconstantqual != nullptr ||
        list_length(plan->targetlist) != 1)
        return false;
    const auto* target = linitial_node(TargetEntry, plan->targetlist);
    return IsA(target->expr, FuncExpr) &&
           is_entry_function(castNode(FuncExpr, target->expr)->funcid);
}

bool is_parameter_or_literal(const Node* node) {
    if (IsA(node, NamedArgExpr))
        return is_parameter_or_literal(
            reinterpret_cast<const Node*>(castNode(NamedArgExpr, node)->arg));
    if (IsA(node, TypeCast))
        return is_parameter_or_literal(castNode(TypeCast, node)->arg);
    return IsA(node, A_Const) || IsA(node, ParamRef);
}

// Spelled out: a function of another name could be inlined into a call of enter.
bool is_called_by_name(const FuncCall* call) {
    if (list_length(call->funcname) != 2 ||
        strcmp(strVal(linitial(call->funcname)), "tenancy") != 0)
        return false;
    const char* name = strVal(lsecond(call->funcname));
    return strcmp(name, "enter") == 0 || strcmp(name, "enter_all") == 0 ||
           strcmp(name, "switch") == 0;
}

bool is_plain_call(const FuncCall* call) {
    if (!is_called_by_name(call) || call->agg_order != NIL || call->agg_filter != nullptr ||
        call->over != nullptr || call->agg_within_group || call->agg_star || call->agg_distinct ||
        call->func_variadic)
        return false;
    ListCell* cell;
    foreach (cell, call->args)
        if (!is_parameter_or_literal(static_cast<const Node*>(lfirst(cell))))
            return false;
    return true;
}

// SELECT f(...) and nothing else.
bool is_bare_select(const Node* node) {
    if (!IsA(node, SelectStmt))
        return false;
    const auto* select = castNode(SelectStmt, node);
    const bool bare = select->distinctClause == NIL && select->intoClause == nullptr &&
                      select->fromClause == NIL && select->whereClause == nullptr &&
                      select->groupClause == NIL && select->havingClause == nullptr &&
                      select->windowClause == NIL && select->valuesLists == NIL &&
                      select->sortClause == NIL && select->limitOffset == nullptr &&
                      select->limitCount == nullptr && select->lockingClause == NIL &&
                      select->withClause == nullptr && select->op == SETOP_NONE &&
                      list_length(select->targetList) == 1;
    if (!bare)
        return false;
    const Node* value = linitial_node(ResTarget, select->targetList)->val;
    return IsA(value, FuncCall) && is_plain_call(castNode(FuncCall, value));
}

bool is_parameter(const Node* node) {
    while (IsA(node, TypeCast))
        node = castNode(TypeCast, node)->arg;
    return IsA(node, ParamRef);
}

// Whether a bare SELECT f(...) passes the tenant, f's first argument, as a parameter.
bool binds_tenant(const Node* node) {
    const auto* select = castNode(SelectStmt, node);
    const auto* call = castNode(FuncCall, linitial_node(ResTarget, select->targetList)->val);
    ListCell* cell;
    foreach (cell, call->args) {
        const auto* argument = static_cast<const Node*>(lfirst(cell));
        if (!IsA(argument, NamedArgExpr))
            return is_parameter(argument);
        const auto* named = castNode(NamedArgExpr, argument);
        if (strcmp(named->name, "tenant") == 0)
            return is_parameter(reinterpret_cast<const Node*>(named->arg));
    }
    return false;
}

bool is_begin(const Node* node) {
    if (!IsA(node, TransactionStmt))
        return false;
    const auto kind = castNode(TransactionStmt, node)->kind;
    return kind == TRANS_STMT_BEGIN || kind == TRANS_STMT_START;
}

// The statement at `location` of a query string, or nullptr when anything but BEGIN precedes it.
const Node* first_but_begin(const char* source, int location) {
    ListCell* cell;
    foreach (cell, raw_parser(source, RAW_PARSE_DEFAULT)) {
        const auto* raw = lfirst_node(RawStmt, cell);
        if (Max(raw->stmt_location, 0) == Max(location, 0))
            return raw->stmt;
        if (!is_begin(raw->stmt))
            return nullptr;
    }
    return nullptr;
}

bool text_keeps_rule(const char* source, int location, bool& is_bound) {
    if (location == remembered_location && strcmp(source, remembered_text) == 0) {
        is_bound = remembered_is_bound;
        return true;
    }
    const Node* statement = first_but_begin(source, location);
    if (statement == nullptr || !is_bare_select(statement))
        return false;
    is_bound = binds_tenant(statement);
    if (strlen(source) < remembered_size) {
        strlcpy(remembered_text, source, remembered_size);
        remembered_location = location;
        remembered_is_bound = is_bound;
    }
    return true;
}

// Whether the client itself sent this statement: it is the portal's own, nothing runs around it,
// and its text is what the client's message says. A deferred trigger at COMMIT has neither portal
// nor text.
bool sent_by_client(const QueryDesc* query) {
    return depth.executor == 0 && depth.utility == 0 && depth.planner == 0 &&
           ActivePortal != nullptr && list_length(ActivePortal->stmts) == 1 &&
           linitial(ActivePortal->stmts) == query->plannedstmt && debug_query_string != nullptr &&
           query->sourceText != nullptr && strcmp(query->sourceText, debug_query_string) == 0;
}

} // namespace

bool is_entry(const QueryDesc* query) {
    const PlannedStmt* statement = query->plannedstmt;
    if (accepted == statement)
        accepted = nullptr;
    bool is_bound = false;
    if (!IsA(statement->planTree, Result) || !only_calls_entry(statement) ||
        !sent_by_client(query) ||
        !text_keeps_rule(query->sourceText, statement->stmt_location, is_bound))
        return false;
    accepted = statement;
    accepted_is_bound = is_bound;
    return true;
}

Running::Running(const QueryDesc* query) : previous_(running) {
    running = query;
}

Running::~Running() {
    running = previous_;
}

bool called_directly() {
    return depth.executor == 1 && depth.utility == 0 && running != nullptr &&
           running->plannedstmt == accepted;
}

bool tenant_is_bound() {
    return called_directly() && accepted_is_bound;
}

bool allows_set(const PlannedStmt* statement, const char* source, ProcessUtilityContext context) {
    return context == PROCESS_UTILITY_TOPLEVEL && depth.executor == 0 && depth.utility == 0 &&
           depth.planner == 0 && first_but_begin(source, statement->stmt_location) != nullptr;
}

} // namespace tenancy::context::entry_rule
