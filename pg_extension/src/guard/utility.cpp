// The guards on utility statements and on access to objects. See guard.hpp.
#include "bridge/sqlstate.hpp"
#include "guard/applies.hpp"
#include "isolation/protected.hpp"

namespace tenancy::guard {

namespace {

void check_prepare(const PrepareStmt* statement) {
    if (!applies())
        return;
    ereport(ERROR,
            (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
             errmsg("PREPARE \"%s\" is not allowed to application roles", statement->name),
             errdetail("The statement would stay in the session, and the driver of its next user "
                       "could execute it under a name of its own."),
             errhint("Use the driver's prepared statements, which belong to the protocol.")));
}

void check_channel(const char* name) {
    if (applies())
        channel::check(name);
}

// LOCK TABLE on a view goes on to the tables in it.
bool hides_tables(Oid relation) {
    return get_rel_relkind(relation) == RELKIND_VIEW;
}

void check_lock(const LockStmt* statement) {
    if (statement->mode <= RowExclusiveLock || !applies())
        return;
    ListCell* cell;
    foreach (cell, statement->relations) {
        const Oid relation = RangeVarGetRelid(lfirst_node(RangeVar, cell), NoLock, true);
        if (!OidIsValid(relation) || !(isolation::is_protected(relation) || hides_tables(relation)))
            continue;
        ereport(ERROR,
                (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                 errmsg("permission denied to lock \"%s\" in this mode", get_rel_name(relation)),
                 errdetail("The lock would stop all tenants."),
                 errhint("Lock rows with SELECT ... FOR UPDATE, or take "
                         "tenancy.advisory_xact_lock(key).")));
    }
}

// With BYPASSRLS, COPY of a table never reaches the executor.
void check_copy(const CopyStmt* statement) {
    if (statement->relation == nullptr)
        return;
    const Oid relation = RangeVarGetRelid(statement->relation, NoLock, true);
    if (!OidIsValid(relation))
        return;
    broken::check_relation(relation, statement->is_from);
    bypass::check_relation(relation, statement->is_from);
    if (statement->is_from)
        temporary::check_target(relation);
}

void check_truncate(const TruncateStmt* statement) {
    ListCell* cell;
    foreach (cell, statement->relations) {
        const auto* named = lfirst_node(RangeVar, cell);
        const Oid relation = RangeVarGetRelid(named, NoLock, true);
        if (!OidIsValid(relation))
            continue;
        broken::check_relation(relation, true);
        if (named->inh)
            broken::check_truncate(relation);
        bypass::check_relation(relation, true);
    }
}

} // namespace

PlannedStmt* check_utility(PlannedStmt* planned) {
    const Node* statement = planned->utilityStmt;
    switch (nodeTag(statement)) {
    case T_ExplainStmt:
        return explain::without_costs(planned);
    case T_PrepareStmt:
        check_prepare(castNode(PrepareStmt, statement));
        break;
    case T_ListenStmt:
        check_channel(castNode(ListenStmt, statement)->conditionname);
        break;
    case T_NotifyStmt:
        check_channel(castNode(NotifyStmt, statement)->conditionname);
        break;
    case T_LockStmt:
        check_lock(castNode(LockStmt, statement));
        break;
    case T_CopyStmt:
        check_copy(castNode(CopyStmt, statement));
        break;
    case T_TruncateStmt:
        check_truncate(castNode(TruncateStmt, statement));
        break;
    default:
        break;
    }
    return planned;
}

void on_object_access(ObjectAccessType access, Oid class_id, Oid object_id, void* argument) {
    if (access == OAT_FUNCTION_EXECUTE) {
        if (object_id < FirstGenbkiObjectId)
            function::check(object_id);
        else if (object_id >= FirstNormalObjectId)
            function::check_installed(object_id);
    } else if (access == OAT_POST_CREATE) {
        const auto* created = static_cast<const ObjectAccessPostCreate*>(argument);
        temporary::check_new(class_id, object_id, created != nullptr && created->is_internal);
    }
}

} // namespace tenancy::guard
