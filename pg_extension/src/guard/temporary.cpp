// Temporary objects: in a pooled session they outlive the tenant, carry its rows to the next one
// and shadow real names. Decided by where an object lands, not by the words that made it. See
// guard.hpp.
#include "bridge/sqlstate.hpp"
#include "context/setting.hpp"
#include "context/state.hpp"
#include "guard/applies.hpp"

namespace tenancy::guard::temporary {

namespace {

// A test suite keeps its own state in temporary tables (pgTAP does).
bool concerns_session() {
    return !context::setting::test_mode() && applies();
}

bool has_temporary_schema() {
    Oid schema;
    Oid toast_schema;
    GetTempNamespaceState(&schema, &toast_schema);
    return OidIsValid(schema);
}

[[noreturn]] void refuse(const char* name) {
    ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                    errmsg("temporary object \"%s\" would outlive the transaction", name),
                    errdetail("The session's next tenant would find it."),
                    errhint("Create a temporary table with ON COMMIT DROP, or use a CTE.")));
    pg_unreachable();
}

// What lives and dies with the relation it belongs to.
bool is_part(char relation_kind) {
    return relation_kind == RELKIND_INDEX || relation_kind == RELKIND_PARTITIONED_INDEX ||
           relation_kind == RELKIND_TOASTVALUE;
}

bool may_drop_at_commit(char relation_kind) {
    return relation_kind == RELKIND_RELATION || relation_kind == RELKIND_PARTITIONED_TABLE ||
           relation_kind == RELKIND_SEQUENCE;
}

bool is_allowed_relation(const FormData_pg_class* relation) {
    return is_part(relation->relkind) || progress.refreshing ||
           (progress.drops_at_commit && may_drop_at_commit(relation->relkind));
}

// Row types and array types come and go with what they are of; a domain over an array does not.
bool is_allowed_type(const FormData_pg_type* type) {
    return OidIsValid(type->typrelid) ||
           (type->typcategory == TYPCATEGORY_ARRAY && type->typtype != TYPTYPE_DOMAIN);
}

void check_row(Oid class_id, HeapTuple row) {
    if (class_id == RelationRelationId) {
        const auto* relation = reinterpret_cast<Form_pg_class>(GETSTRUCT(row));
        if (isTempNamespace(relation->relnamespace) && !is_allowed_relation(relation))
            refuse(NameStr(relation->relname));
    } else if (class_id == TypeRelationId) {
        const auto* type = reinterpret_cast<Form_pg_type>(GETSTRUCT(row));
        if (isTempNamespace(type->typnamespace) && !is_allowed_type(type))
            refuse(NameStr(type->typname));
    } else {
        const auto* function = reinterpret_cast<Form_pg_proc>(GETSTRUCT(row));
        if (isTempNamespace(function->pronamespace))
            refuse(NameStr(function->proname));
    }
}

// The object's row is younger than every snapshot but SnapshotSelf.
void check_catalog(Oid class_id, Oid index_id, AttrNumber oid_column, Oid object_id) {
    ScanKeyData key;
    ScanKeyInit(&key, oid_column, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(object_id));
    Relation catalog = table_open(class_id, AccessShareLock);
    SysScanDesc scan = systable_beginscan(catalog, index_id, true, SnapshotSelf, 1, &key);
    HeapTuple row = systable_getnext(scan);
    if (HeapTupleIsValid(row))
        check_row(class_id, row);
    systable_endscan(scan);
    table_close(catalog, AccessShareLock);
}

bool was_made_earlier(Oid relation_id) {
    if (get_rel_persistence(relation_id) != RELPERSISTENCE_TEMP)
        return false;
    Relation relation = RelationIdGetRelation(relation_id);
    if (!RelationIsValid(relation))
        return false;
    const bool earlier = relation->rd_createSubid == InvalidSubTransactionId;
    RelationClose(relation);
    return earlier;
}

} // namespace

void check_new(Oid class_id, Oid object_id, bool internal) {
    if (internal || !has_temporary_schema() || !concerns_session())
        return;
    switch (class_id) {
    case RelationRelationId:
        check_catalog(class_id, ClassOidIndexId, Anum_pg_class_oid, object_id);
        break;
    case TypeRelationId:
        check_catalog(class_id, TypeOidIndexId, Anum_pg_type_oid, object_id);
        break;
    case ProcedureRelationId:
        check_catalog(class_id, ProcedureOidIndexId, Anum_pg_proc_oid, object_id);
        break;
    default:
        break;
    }
}

void check_target(Oid relation) {
    if (!has_temporary_schema() || !context::is_pinned() || !was_made_earlier(relation) ||
        !concerns_session())
        return;
    ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                    errmsg("temporary table \"%s\" is older than this transaction",
                           get_rel_name(relation)),
                    errdetail("What is written to it would stay for the session's next tenant."),
                    errhint("Create it in this transaction, with ON COMMIT DROP.")));
}

void check_targets(const PlannedStmt* statement) {
    if (!has_temporary_schema())
        return;
    ListCell* cell;
    foreach (cell, statement->resultRelations)
        check_target(rt_fetch(lfirst_int(cell), statement->rtable)->relid);
}

} // namespace tenancy::guard::temporary
