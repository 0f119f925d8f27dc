// Rights that row security does not cover stay revoked; see grants.hpp.
#include "isolation/grants.hpp"

#include "bridge/sqlstate.hpp"
#include "core/sqlstate.hpp"
#include "isolation/protected.hpp"
#include "isolation/run_as_owner.hpp"

namespace tenancy::isolation {

namespace {

constexpr const char* table_privileges[] = {"truncate", "references", "trigger", "maintain"};
constexpr const char* sequence_privileges[] = {"select", "update"};
constexpr const char* writing_privileges[] = {"insert",   "update",  "delete",
                                              "truncate", "trigger", "maintain"};

// The first privilege of the statement that is in `kept`, "all" for all, or nullptr.
template <int Size>
const char* named_privilege(const GrantStmt* statement, const char* const (&kept)[Size]) {
    if (statement->privileges == NIL)
        return "all";
    ListCell* cell;
    foreach (cell, statement->privileges) {
        const char* given = lfirst_node(AccessPriv, cell)->priv_name;
        if (given == nullptr)
            return "all";
        for (const char* privilege : kept)
            if (pg_strcasecmp(given, privilege) == 0)
                return privilege;
    }
    return nullptr;
}

bool only_to_owner(const GrantStmt* statement, Oid relation) {
    const Oid owner = owner_of(relation);
    ListCell* cell;
    foreach (cell, statement->grantees) {
        const auto* grantee = lfirst_node(RoleSpec, cell);
        if (grantee->roletype == ROLESPEC_PUBLIC || get_rolespec_oid(grantee, true) != owner)
            return false;
    }
    return true;
}

[[noreturn]] void refuse(Oid relation, const char* privilege, const char* what, const char* hint) {
    ereport(ERROR, (tn_errcode(sqlstate::protection_violated),
                    errmsg("cannot grant %s on %s \"%s\"", privilege, what, get_rel_name(relation)),
                    errhint("%s", hint)));
    pg_unreachable();
}

void check_sequence(const GrantStmt* statement, Oid sequence) {
    Oid table = InvalidOid;
    int32 column = 0;
    if (!sequenceIsOwned(sequence, DEPENDENCY_AUTO, &table, &column) &&
        !sequenceIsOwned(sequence, DEPENDENCY_INTERNAL, &table, &column))
        return;
    const char* privilege = named_privilege(statement, sequence_privileges);
    if (privilege != nullptr && is_protected(table) && !only_to_owner(statement, sequence))
        refuse(sequence, privilege, "sequence of a protected table",
               "Its value tells of other tenants' rows and setting it stops them: grant USAGE.");
}

void check_table(const GrantStmt* statement, Oid relation) {
    const Protection protection = protection_of(relation);
    if (protection.kind != KeyKind::none) {
        const char* privilege = named_privilege(statement, table_privileges);
        if (privilege != nullptr && !only_to_owner(statement, relation))
            refuse(relation, privilege, "protected table",
                   "Row security does not cover TRUNCATE, REFERENCES, TRIGGER and MAINTAIN: grant "
                   "SELECT, INSERT, UPDATE, DELETE by name.");
    } else if (protection.shared) {
        const char* privilege = named_privilege(statement, writing_privileges);
        if (privilege != nullptr && !only_to_owner(statement, relation))
            refuse(relation, privilege, "shared table",
                   "Every tenant reads a shared table and none writes it: grant SELECT.");
    }
}

void check_relation(const GrantStmt* statement, Oid relation) {
    const char kind = get_rel_relkind(relation);
    if (kind == RELKIND_SEQUENCE)
        check_sequence(statement, relation);
    else if (kind == RELKIND_RELATION || kind == RELKIND_PARTITIONED_TABLE)
        check_table(statement, relation);
}

void check_schema(const GrantStmt* statement, Oid schema) {
    Relation classes = table_open(RelationRelationId, AccessShareLock);
    ScanKeyData key;
    ScanKeyInit(&key, Anum_pg_class_relnamespace, BTEqualStrategyNumber, F_OIDEQ,
                ObjectIdGetDatum(schema));
    SysScanDesc scan = systable_beginscan(classes, InvalidOid, false, nullptr, 1, &key);
    HeapTuple tuple;
    while (HeapTupleIsValid(tuple = systable_getnext(scan))) {
        const auto* form = reinterpret_cast<Form_pg_class>(GETSTRUCT(tuple));
        if ((form->relkind == RELKIND_SEQUENCE) == (statement->objtype == OBJECT_SEQUENCE))
            check_relation(statement, form->oid);
    }
    systable_endscan(scan);
    table_close(classes, AccessShareLock);
}

} // namespace

void check_grant(const GrantStmt* statement) {
    if (!statement->is_grant ||
        (statement->objtype != OBJECT_TABLE && statement->objtype != OBJECT_SEQUENCE))
        return;
    ListCell* cell;
    foreach (cell, statement->objects) {
        if (statement->targtype == ACL_TARGET_ALL_IN_SCHEMA) {
            const Oid schema = get_namespace_oid(strVal(lfirst(cell)), true);
            if (OidIsValid(schema))
                check_schema(statement, schema);
        } else if (statement->targtype == ACL_TARGET_OBJECT) {
            const Oid relation = RangeVarGetRelid(lfirst_node(RangeVar, cell), NoLock, true);
            if (OidIsValid(relation))
                check_relation(statement, relation);
        }
    }
}

} // namespace tenancy::isolation
