// See copy_from.hpp. Plain C style throughout: nothing here has a destructor.
#include "copy/copy_from.hpp"

#include "bridge/compat.hpp"
#include "bridge/entry.hpp"
#include "copy/insert_plan.hpp"
#include "copy/row_source.hpp"
#include "isolation/protected.hpp"

namespace tenancy::copy {

namespace {

// The refusal is PostgreSQL's own.
bool may_read_from(const CopyStmt* statement) {
    if (statement->filename == nullptr)
        return true;
    return has_privs_of_role(GetUserId(), statement->is_program ? ROLE_PG_EXECUTE_SERVER_PROGRAM
                                                                : ROLE_PG_READ_SERVER_FILES);
}

bool is_bound(Oid relation) {
    return isolation::is_protected(relation) &&
           check_enable_rls(relation, InvalidOid, true) == RLS_ENABLED;
}

// The protected table to copy to, locked; nullptr when the statement is PostgreSQL's.
Relation open_target(const CopyStmt* statement) {
    if (!statement->is_from || !may_read_from(statement))
        return nullptr;
    const Oid seen = RangeVarGetRelid(statement->relation, NoLock, true);
    if (!OidIsValid(seen) || !is_bound(seen))
        return nullptr;
    Relation target = table_openrv(statement->relation, RowExclusiveLock);
    if (is_bound(RelationGetRelid(target)))
        return target;
    table_close(target, NoLock);
    return nullptr;
}

[[noreturn]] void refuse(Relation target, const char* what, const char* why, const char* hint) {
    ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                    errmsg("%s is not supported on protected table \"%s\"", what,
                           RelationGetRelationName(target)),
                    errdetail("%s", why), errhint("%s", hint)));
    pg_unreachable();
}

bool has_insert_rule(Relation target) {
    const RuleLock* rules = target->rd_rules;
    for (int i = 0; rules != nullptr && i < rules->numLocks; i++)
        if (rules->rules[i]->event == CMD_INSERT && rules->rules[i]->enabled != RULE_DISABLED)
            return true;
    return false;
}

bool freezes(const CopyStmt* statement) {
    ListCell* cell;
    foreach (cell, statement->options) {
        DefElem* option = lfirst_node(DefElem, cell);
        if (strcmp(option->defname, "freeze") == 0 && defGetBoolean(option))
            return true;
    }
    return false;
}

void check_supported(const CopyStmt* statement, Relation target) {
    if (freezes(statement))
        refuse(target, "COPY FREEZE", "Frozen rows are visible before the transaction commits.",
               "Leave FREEZE out, and VACUUM (FREEZE) the table afterwards.");
    if (has_insert_rule(target))
        refuse(target, "COPY FROM with ON INSERT rules",
               "COPY runs no rules, and an INSERT under row security does not run without them.",
               "Use INSERT, or have the table's owner turn the rules into triggers.");
}

// Generated columns are computed after the condition has chosen the rows.
void refuse_generated_columns(const Target& target, Node* condition) {
    Bitmapset* used = nullptr;
    pull_varattnos(condition, static_cast<Index>(target.item->p_rtindex), &used);
    const TupleDesc description = RelationGetDescr(target.relation);
    const bool whole_row = bms_is_member(0 - FirstLowInvalidHeapAttributeNumber, used);
    for (int i = 0; i < description->natts; i++) {
        const FormData_pg_attribute* column = TupleDescAttr(description, i);
        if (column->attgenerated != '\0' &&
            (whole_row || bms_is_member(column->attnum - FirstLowInvalidHeapAttributeNumber, used)))
            ereport(ERROR,
                    (errcode(ERRCODE_INVALID_COLUMN_REFERENCE),
                     errmsg("generated columns are not supported in COPY FROM WHERE conditions"),
                     errdetail("Column \"%s\" is a generated column.", NameStr(column->attname))));
    }
}

// The conditions of WHERE, over the target's columns.
List* conditions(const Target& target, const CopyStmt* statement) {
    if (statement->whereClause == nullptr)
        return NIL;
    addNSItemToQuery(target.parse, target.item, false, true, true);
    // The statement may be a prepared one, which is to stay as it is.
    Node* raw = static_cast<Node*>(copyObjectImpl(statement->whereClause));
    Node* condition = transformExpr(target.parse, raw, EXPR_KIND_COPY_WHERE);
    condition = coerce_to_boolean(target.parse, condition, "WHERE");
    assign_expr_collations(target.parse, condition);
    refuse_generated_columns(target, condition);
    return make_ands_implicit(reinterpret_cast<Expr*>(condition));
}

// The line that is being inserted, under errors of policies, triggers and constraints, too.
void report_line(void* argument) {
    const auto* source = static_cast<const RowSource*>(argument);
    if (source->reading)
        CopyFromErrorCallback(source->reader);
}

extern "C" {
static void tenancy_report_line(void* argument) {
    entry<report_line>(argument);
}
}

// Asks the client for the data only when nothing else stands against the statement.
void begin_reading(RowSource& source, const Target& target, const CopyStmt* statement) {
    source.reader =
        BeginCopyFrom(target.parse, target.relation, nullptr, statement->filename,
                      statement->is_program, nullptr, statement->attlist, statement->options);
}

void run(QueryDesc* query, RowSource& source) {
    ErrorContextCallback callback{};
    callback.callback = tenancy_report_line;
    callback.arg = &source;
    callback.previous = error_context_stack;
    error_context_stack = &callback;
    ExecutorRun(query, ForwardScanDirection, 0 BEFORE_18(true));
    error_context_stack = callback.previous;
}

// Returns how many rows were inserted.
uint64 load(PlannedStmt* plan, RowSource& source, const Target& target, const CopyStmt* statement) {
    read_rows_from(plan, source);
    QueryDesc* query = CreateQueryDesc(plan, target.parse->p_sourcetext, GetActiveSnapshot(),
                                       InvalidSnapshot, None_Receiver, nullptr, nullptr, 0);
    ExecutorStart(query, 0);
    begin_reading(source, target, statement);
    run(query, source);
    const uint64 count = query->estate->es_processed;
    ExecutorFinish(query);
    EndCopyFrom(source.reader);
    ExecutorEnd(query);
    FreeQueryDesc(query);
    return count;
}

} // namespace

bool run_copy_from(const PlannedStmt* planned, const char* text, QueryCompletion* completion) {
    const auto* statement = castNode(CopyStmt, planned->utilityStmt);
    Relation relation = open_target(statement);
    if (relation == nullptr)
        return false;
    const Target target = parse_target(relation, text);
    RowSource source{relation, conditions(target, statement), nullptr, false};
    const List* columns = CopyGetAttnums(RelationGetDescr(relation), relation, statement->attlist);
    PreventCommandIfReadOnly("COPY FROM");
    check_supported(statement, relation);
    PlannedStmt* plan = plan_insert(target, columns);
    plan->queryId = planned->queryId; // what counts statements knows it as this COPY
    plan->stmt_location = planned->stmt_location;
    plan->stmt_len = planned->stmt_len;
    const uint64 count = load(plan, source, target, statement);
    table_close(relation, NoLock);
    if (completion != nullptr)
        SetQueryCompletion(completion, CMDTAG_COPY, count);
    return true;
}

} // namespace tenancy::copy
