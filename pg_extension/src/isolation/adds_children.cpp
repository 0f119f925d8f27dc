// Which DDL commands put a table under another one. For the event trigger of sql/370_ddl.sql: the
// children of a protected table are protected in the command that makes or attaches them, and in no
// other. A restore creates and attaches the partitions first, and makes the policies of each
// itself.
#include "bridge/entry.hpp"

namespace {

bool attaches(const AlterTableStmt* statement) {
    ListCell* cell;
    foreach (cell, statement->cmds) {
        const auto type = lfirst_node(AlterTableCmd, cell)->subtype;
        if (type == AT_AttachPartition || type == AT_AddInherit)
            return true;
    }
    return false;
}

bool makes_child(const CreateStmt* statement) {
    return statement->inhRelations != NIL || statement->partbound != nullptr;
}

} // namespace

namespace tenancy {

TENANCY_FUNCTION(adds_children) {
    const auto* collected = reinterpret_cast<const CollectedCommand*>(PG_GETARG_POINTER(0));
    const Node* statement = collected->parsetree;
    if (statement == nullptr)
        PG_RETURN_BOOL(false);
    switch (nodeTag(statement)) {
    case T_AlterTableStmt:
        PG_RETURN_BOOL(attaches(reinterpret_cast<const AlterTableStmt*>(statement)));
    case T_CreateStmt:
        PG_RETURN_BOOL(makes_child(reinterpret_cast<const CreateStmt*>(statement)));
    case T_CreateForeignTableStmt:
        PG_RETURN_BOOL(
            makes_child(&reinterpret_cast<const CreateForeignTableStmt*>(statement)->base));
    default:
        PG_RETURN_BOOL(false);
    }
}

} // namespace tenancy
