// See record.hpp.
#include "isolation/record.hpp"

#include "context/registry.hpp"
#include "context/registry_scan.hpp"

namespace tenancy::isolation {

namespace {

namespace registry = context::registry;

bool has_row(Oid relation) {
    ScanKeyData key;
    registry::oid_key(&key, 1, relation);
    const registry::Scan scan = registry::begin("protected_table", "protected_table_pkey", &key, 1);
    const bool found = HeapTupleIsValid(registry::next(scan));
    registry::end(scan);
    return found;
}

List* parents_of(Oid relation) {
    List* found = NIL;
    ScanKeyData key;
    ScanKeyInit(&key, Anum_pg_inherits_inhrelid, BTEqualStrategyNumber, F_OIDEQ,
                ObjectIdGetDatum(relation));
    Relation inherits = table_open(InheritsRelationId, AccessShareLock);
    SysScanDesc scan =
        systable_beginscan(inherits, InheritsRelidSeqnoIndexId, true, nullptr, 1, &key);
    HeapTuple row;
    while (HeapTupleIsValid(row = systable_getnext(scan)))
        found = lappend_oid(found, reinterpret_cast<Form_pg_inherits>(GETSTRUCT(row))->inhparent);
    systable_endscan(scan);
    table_close(inherits, AccessShareLock);
    return found;
}

} // namespace

bool is_recorded(Oid relation) {
    if (relation < FirstNormalObjectId || creating_extension || IsBinaryUpgrade ||
        !registry::installed())
        return false;
    if (has_row(relation))
        return true;
    ListCell* cell;
    foreach (cell, parents_of(relation))
        if (is_recorded(lfirst_oid(cell)))
            return true;
    return false;
}

} // namespace tenancy::isolation
