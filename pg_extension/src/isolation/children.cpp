// Which DDL commands put a table under another one or take it away. For the event trigger of
// sql/370_ddl.sql: the children of a protected table are protected in the command that makes or
// attaches them, recorded as tables of their own in the one that detaches them, and in no other. A
// restore makes and attaches the partitions first, and protects each of them itself.
#include "bridge/entry.hpp"

namespace {

bool any_command(const AlterTableStmt* statement, bool (*wanted)(AlterTableType)) {
    ListCell* cell;
    foreach (cell, statement->cmds)
        if (wanted(lfirst_node(AlterTableCmd, cell)->subtype))
            return true;
    return false;
}

bool attaches(AlterTableType type) {
    return type == AT_AttachPartition || type == AT_AddInherit;
}

bool detaches(AlterTableType type) {
    return type == AT_DetachPartition || type == AT_DetachPartitionFinalize ||
           type == AT_DropInherit;
}

bool makes_child(const CreateStmt* statement) {
    return statement->inhRelations != NIL || statement->partbound != nullptr;
}

const Node* statement_of(FunctionCallInfo fcinfo) {
    return reinterpret_cast<const CollectedCommand*>(PG_GETARG_POINTER(0))->parsetree;
}

} // namespace

namespace tenancy {

TENANCY_FUNCTION(adds_children) {
    const Node* statement = statement_of(fcinfo);
    if (statement == nullptr)
        PG_RETURN_BOOL(false);
    switch (nodeTag(statement)) {
    case T_AlterTableStmt:
        PG_RETURN_BOOL(any_command(reinterpret_cast<const AlterTableStmt*>(statement), attaches));
    case T_CreateStmt:
        PG_RETURN_BOOL(makes_child(reinterpret_cast<const CreateStmt*>(statement)));
    case T_CreateForeignTableStmt:
        PG_RETURN_BOOL(
            makes_child(&reinterpret_cast<const CreateForeignTableStmt*>(statement)->base));
    default:
        PG_RETURN_BOOL(false);
    }
}

TENANCY_FUNCTION(removes_children) {
    const Node* statement = statement_of(fcinfo);
    PG_RETURN_BOOL(statement != nullptr && IsA(statement, AlterTableStmt) &&
                   any_command(reinterpret_cast<const AlterTableStmt*>(statement), detaches));
}

} // namespace tenancy
