// EXPLAIN: its estimates and counts are made from the rows of all tenants. See guard.hpp.
#include "bridge/sqlstate.hpp"
#include "context/setting.hpp"
#include "guard/applies.hpp"

namespace tenancy::guard::explain {

namespace {

using context::setting::Guard;

// Columns of tenancy.explain_grant, in the order of sql/250_guard.sql.
constexpr AttrNumber role_column = 1;
constexpr AttrNumber name_column = 2;
constexpr AttrNumber until_column = 3;

Oid relation_of_schema(const char* name) {
    const Oid schema = get_namespace_oid("tenancy", true);
    return OidIsValid(schema) ? get_relname_relid(name, schema) : InvalidOid;
}

// Whether the row is about this role still, and in force.
bool holds(Relation table, HeapTuple row, Oid role) {
    bool is_null;
    const Datum name = heap_getattr(row, name_column, RelationGetDescr(table), &is_null);
    const char* present = GetUserNameFromId(role, true);
    if (is_null || present == nullptr || strcmp(NameStr(*DatumGetName(name)), present) != 0)
        return false;
    const Datum until = heap_getattr(row, until_column, RelationGetDescr(table), &is_null);
    return !is_null && GetCurrentTimestamp() < DatumGetTimestampTz(until);
}

} // namespace

bool is_granted() {
    const Oid role = GetOuterUserId();
    const Oid table_id = relation_of_schema("explain_grant");
    const Oid index_id = relation_of_schema("explain_grant_pkey");
    if (!OidIsValid(table_id) || !OidIsValid(index_id))
        return false;
    ScanKeyData key;
    ScanKeyInit(&key, role_column, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(role));
    Relation table = table_open(table_id, AccessShareLock);
    SysScanDesc scan = systable_beginscan(table, index_id, true, nullptr, 1, &key);
    HeapTuple row = systable_getnext(scan);
    const bool granted = HeapTupleIsValid(row) && holds(table, row, role);
    systable_endscan(scan);
    table_close(table, AccessShareLock);
    return granted;
}

void check(const PlannedStmt* statement, int flags) {
    const bool only = (flags & EXEC_FLAG_EXPLAIN_ONLY) != 0;
    if (!only && !progress.explaining)
        return;
    // At this level the utility hook has taken the costs out, and what is left is counts.
    if (context::setting::guard() == Guard::standard && progress.explaining && !progress.analyzing)
        return;
    const Oid relation = first_protected(statement);
    if (!OidIsValid(relation) || is_granted())
        return;
    ereport(ERROR,
            (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
             errmsg("permission denied to EXPLAIN a statement on protected table \"%s\"",
                    get_rel_name(relation)),
             errdetail("EXPLAIN shows estimates and counts made from the rows of all tenants."),
             errhint("An admin may allow it for a while with tenancy.grant_explain(role, "
                     "until, reason).")));
}

PlannedStmt* without_costs(PlannedStmt* planned) {
    if (context::setting::guard() != Guard::standard || !applies() || is_granted())
        return planned;
    PlannedStmt* copy = copyObject(planned);
    auto* statement = castNode(ExplainStmt, copy->utilityStmt);
    Node* off = reinterpret_cast<Node*>(makeString(pstrdup("off")));
    // The last of several options of one name counts.
    statement->options = lappend(statement->options, makeDefElem(pstrdup("costs"), off, -1));
    return copy;
}

} // namespace tenancy::guard::explain
