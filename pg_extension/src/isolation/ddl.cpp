// The DDL rules; see ddl.hpp. Plain C style throughout: nothing here has a destructor.
#include "isolation/ddl.hpp"

#include "bridge/sqlstate.hpp"
#include "context/setting.hpp"
#include "core/sqlstate.hpp"
#include "isolation/grants.hpp"
#include "isolation/protected.hpp"
#include "isolation/run_as_owner.hpp"

namespace tenancy::isolation {

namespace {

constexpr const char* use_unprotect = "Use tenancy.unprotect() on the table first.";

[[noreturn]] void refuse(Oid relation, const char* what) {
    ereport(ERROR, (tn_errcode(sqlstate::protection_violated),
                    errmsg("cannot %s protected table \"%s\"", what, get_rel_name(relation)),
                    errhint("%s", use_unprotect)));
    pg_unreachable();
}

[[noreturn]] void refuse_removal(const char* what) {
    ereport(ERROR, (tn_errcode(sqlstate::protection_violated),
                    errmsg("cannot drop %s while tables are protected", what),
                    errhint("Use tenancy.unprotect() on every table of tenancy.protected_table, "
                            "then drop again.")));
    pg_unreachable();
}

bool rules_apply() {
    return !creating_extension && !IsBinaryUpgrade && IsTransactionState() &&
           context::setting::guard() != context::setting::Guard::off;
}

Oid relation_named(const RangeVar* name) {
    return name == nullptr ? InvalidOid : RangeVarGetRelid(name, NoLock, true);
}

bool is_tenant_column(Oid relation, const char* column) {
    const Protection protection = protection_of(relation);
    return protection.kind != KeyKind::none && column != nullptr &&
           get_attnum(relation, column) == protection.tenant_column;
}

bool has_own_trigger(Oid relation_id) {
    Relation relation = try_relation_open(relation_id, AccessShareLock);
    if (relation == nullptr)
        return false;
    bool found = false;
    const TriggerDesc* triggers = relation->trigdesc;
    for (int i = 0; triggers != nullptr && i < triggers->numtriggers; i++)
        found = found || is_own_trigger(triggers->triggers[i].tgname);
    relation_close(relation, AccessShareLock);
    return found;
}

void check_parent(Oid child, const RangeVar* parent) {
    const Oid parent_id = relation_named(parent);
    if (OidIsValid(parent_id) && is_protected(child) && !is_protected(parent_id))
        refuse(child, "put under an unprotected parent the");
}

void check_alter_command(Oid relation, const AlterTableCmd* command) {
    switch (command->subtype) {
    case AT_DisableRowSecurity:
    case AT_NoForceRowSecurity:
        if (is_protected(relation))
            refuse(relation, "switch off row security of");
        break;
    case AT_DropColumn:
        if (is_tenant_column(relation, command->name))
            refuse(relation, "drop the tenant column of");
        break;
    case AT_AlterColumnType:
        if (is_tenant_column(relation, command->name))
            refuse(relation, "change the type of the tenant column of");
        break;
    case AT_DropNotNull:
        if (is_tenant_column(relation, command->name))
            refuse(relation, "allow NULL in the tenant column of");
        break;
    case AT_DisableTrig:
    case AT_EnableTrig:
    case AT_EnableReplicaTrig:
        if (is_own_trigger(command->name) && is_protected(relation))
            refuse(relation, "change a trigger of tenancy on");
        break;
    case AT_DisableTrigAll:
    case AT_DisableTrigUser:
    case AT_EnableTrigAll:
    case AT_EnableTrigUser:
        if (is_protected(relation) && has_own_trigger(relation))
            refuse(relation, "change the triggers of tenancy on");
        break;
    case AT_AddInherit:
        check_parent(relation, reinterpret_cast<const RangeVar*>(command->def));
        break;
    case AT_AttachPartition: {
        const auto* attach = castNode(PartitionCmd, command->def);
        const Oid child = relation_named(attach->name);
        if (OidIsValid(child) && is_protected(child) && !is_protected(relation))
            refuse(child, "attach to an unprotected parent the");
        break;
    }
    default:
        break;
    }
}

void check_alter_table(const AlterTableStmt* statement) {
    if (statement->objtype == OBJECT_INDEX || statement->objtype == OBJECT_TYPE)
        return;
    const Oid relation = relation_named(statement->relation);
    if (!OidIsValid(relation))
        return;
    ListCell* cell;
    foreach (cell, statement->cmds)
        check_alter_command(relation, lfirst_node(AlterTableCmd, cell));
}

void check_rename(const RenameStmt* statement) {
    const Oid relation = relation_named(statement->relation);
    if (!OidIsValid(relation))
        return;
    const bool of_column =
        statement->renameType == OBJECT_COLUMN || statement->renameType == OBJECT_ATTRIBUTE;
    if (of_column && is_tenant_column(relation, statement->subname))
        refuse(relation, "rename the tenant column of");
    if (!is_protected(relation))
        return;
    if (statement->renameType == OBJECT_POLICY && is_own_policy(statement->subname))
        refuse(relation, "rename a policy of tenancy on");
    if (statement->renameType == OBJECT_TRIGGER && is_own_trigger(statement->subname))
        refuse(relation, "rename a trigger of tenancy on");
}

void check_alter_policy(const AlterPolicyStmt* statement) {
    const Oid relation = relation_named(statement->table);
    if (OidIsValid(relation) && is_own_policy(statement->policy_name) && is_protected(relation))
        refuse(relation, "change a policy of tenancy on");
}

// DROP POLICY and DROP TRIGGER by name; what CASCADE reaches is left to the event trigger.
void check_drop_of_member(ObjectType type, List* name) {
    const char* member = strVal(llast(name));
    if (list_length(name) < 2 ||
        !(type == OBJECT_POLICY ? is_own_policy(member) : is_own_trigger(member)))
        return;
    List* relation_name = list_truncate(list_copy(name), list_length(name) - 1);
    const Oid relation = relation_named(makeRangeVarFromNameList(relation_name));
    if (OidIsValid(relation) && is_protected(relation))
        refuse(relation, type == OBJECT_POLICY ? "drop a policy of tenancy on"
                                               : "drop a trigger of tenancy on");
}

void check_drop(const DropStmt* statement) {
    ListCell* cell;
    foreach (cell, statement->objects) {
        Node* object = static_cast<Node*>(lfirst(cell));
        switch (statement->removeType) {
        case OBJECT_POLICY:
        case OBJECT_TRIGGER:
            check_drop_of_member(statement->removeType, castNode(List, object));
            break;
        case OBJECT_EXTENSION:
            if (strcmp(strVal(object), "tenancy") == 0 && any_protected())
                refuse_removal("extension \"tenancy\"");
            break;
        default:
            break;
        }
    }
}

void check_extension_member(const AlterExtensionContentsStmt* statement) {
    if (statement->action < 0 && strcmp(statement->extname, "tenancy") == 0 && any_protected())
        refuse_removal("a part of extension \"tenancy\"");
}

void check_event_trigger(const AlterEventTrigStmt* statement) {
    if (is_own_trigger(statement->trigname) && statement->tgenabled != TRIGGER_FIRES_ALWAYS &&
        any_protected())
        ereport(ERROR, (tn_errcode(sqlstate::protection_violated),
                        errmsg("cannot disable event trigger \"%s\" while tables are protected",
                               statement->trigname),
                        errhint("%s", use_unprotect)));
}

} // namespace

void check_ddl(const PlannedStmt* statement, ProcessUtilityContext kind) {
    const Node* command = statement->utilityStmt;
    if (command == nullptr || !rules_apply() ||
        internal_ddl_begins(kind == PROCESS_UTILITY_SUBCOMMAND))
        return;
    switch (nodeTag(command)) {
    case T_AlterTableStmt:
        check_alter_table(reinterpret_cast<const AlterTableStmt*>(command));
        break;
    case T_RenameStmt:
        check_rename(reinterpret_cast<const RenameStmt*>(command));
        break;
    case T_AlterPolicyStmt:
        check_alter_policy(reinterpret_cast<const AlterPolicyStmt*>(command));
        break;
    case T_DropStmt:
        check_drop(reinterpret_cast<const DropStmt*>(command));
        break;
    case T_GrantStmt:
        check_grant(reinterpret_cast<const GrantStmt*>(command));
        break;
    case T_AlterExtensionContentsStmt:
        check_extension_member(reinterpret_cast<const AlterExtensionContentsStmt*>(command));
        break;
    case T_AlterEventTrigStmt:
        check_event_trigger(reinterpret_cast<const AlterEventTrigStmt*>(command));
        break;
    default:
        break;
    }
}

bool needs_no_force(const PlannedStmt* statement) {
    const Node* command = statement->utilityStmt;
    if (command == nullptr || !IsA(command, AlterTableStmt) || IsBinaryUpgrade)
        return false;
    const auto* alter = reinterpret_cast<const AlterTableStmt*>(command);
    const auto* first = linitial_node(AlterTableCmd, alter->cmds); // it stands alone
    if (first->subtype != AT_DetachPartition || castNode(PartitionCmd, first->def)->concurrent)
        return false;
    const Oid relation = relation_named(alter->relation);
    return OidIsValid(relation) && is_protected(relation);
}

void on_object_access(ObjectAccessType access, Oid class_id, Oid object_id) {
    if (access != OAT_DROP ||
        (class_id != ExtensionRelationId && class_id != NamespaceRelationId) || !rules_apply() ||
        internal_ddl_runs())
        return;
    if (class_id == ExtensionRelationId && object_id == get_extension_oid("tenancy", true) &&
        any_protected())
        refuse_removal("extension \"tenancy\"");
    if (class_id == NamespaceRelationId && object_id == get_namespace_oid("tenancy", true) &&
        any_protected())
        refuse_removal("schema \"tenancy\"");
}

} // namespace tenancy::isolation
