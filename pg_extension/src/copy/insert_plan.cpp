// See insert_plan.hpp. Plain C style throughout: nothing here has a destructor.
#include "copy/insert_plan.hpp"

#include "bridge/compat.hpp"
#include "isolation/protected.hpp"

namespace tenancy::copy {

namespace {

Bitmapset* column_set(const List* columns) {
    Bitmapset* set = nullptr;
    ListCell* cell;
    foreach (cell, columns)
        set = bms_add_member(set, lfirst_int(cell) - FirstLowInvalidHeapAttributeNumber);
    return set;
}

// Explicit values, so that no default is planned, for all columns that may have one.
List* no_values(Relation relation) {
    List* values = NIL;
    const TupleDesc description = RelationGetDescr(relation);
    for (int i = 0; i < description->natts; i++) {
        const FormData_pg_attribute* column = TupleDescAttr(description, i);
        if (column->attisdropped || column->attgenerated != '\0')
            continue;
        Const* null = makeNullConst(column->atttypid, column->atttypmod, column->attcollation);
        values = lappend(values, makeTargetEntry(reinterpret_cast<Expr*>(null), column->attnum,
                                                 pstrdup(NameStr(column->attname)), false));
    }
    return values;
}

Query* insert_of(const Target& target) {
    auto* query = makeNode(Query);
    query->commandType = CMD_INSERT;
    query->querySource = QSRC_ORIGINAL;
    query->canSetTag = true;
    query->resultRelation = target.item->p_rtindex;
    query->jointree = makeFromExpr(NIL, nullptr);
    query->targetList = no_values(target.relation);
    query->override = OVERRIDING_SYSTEM_VALUE; // as COPY does with identity columns
    compat::take_range_table(query, target.parse);
    return query;
}

// A row must not go in unchecked, whatever the rewriter and the planner came to do.
void require_checks(const PlannedStmt* plan, Relation relation) {
    const auto* modify = castNode(ModifyTable, plan->planTree);
    if (modify->withCheckOptionLists == NIL &&
        isolation::protection_of(RelationGetRelid(relation)).complete)
        elog(ERROR, "the plan for COPY checks no policy of \"%s\"",
             RelationGetRelationName(relation));
}

} // namespace

Target parse_target(Relation relation, const char* text) {
    ParseState* parse = make_parsestate(nullptr);
    parse->p_sourcetext = text;
    ParseNamespaceItem* item =
        addRangeTableEntryForRelation(parse, relation, RowExclusiveLock, nullptr, false, false);
    return {relation, parse, item};
}

PlannedStmt* plan_insert(const Target& target, const List* columns) {
    compat::require_insert(target.item, column_set(columns));
    List* queries = QueryRewrite(insert_of(target));
    if (list_length(queries) != 1)
        elog(ERROR, "COPY became %d queries", list_length(queries));
    PlannedStmt* plan =
        pg_plan_query(linitial_node(Query, queries), target.parse->p_sourcetext, 0, nullptr);
    require_checks(plan, target.relation);
    return plan;
}

} // namespace tenancy::copy
