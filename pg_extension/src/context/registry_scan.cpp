// See registry_scan.hpp.
#include "context/registry_scan.hpp"

#include "context/errors.hpp"

namespace tenancy::context::registry {

Oid registry_relation(const char* name) {
    const Oid schema = get_namespace_oid("tenancy", true);
    const Oid relation = OidIsValid(schema) ? get_relname_relid(name, schema) : InvalidOid;
    if (!OidIsValid(relation))
        errors::not_installed();
    return relation;
}

Scan begin(const char* table, const char* index, ScanKeyData* keys, int count) {
    Scan scan;
    scan.table = table_open(registry_relation(table), AccessShareLock);
    scan.scan =
        systable_beginscan(scan.table, registry_relation(index), true, nullptr, count, keys);
    return scan;
}

void end(const Scan& scan) {
    systable_endscan(scan.scan);
    table_close(scan.table, AccessShareLock);
}

HeapTuple next(const Scan& scan) {
    return systable_getnext(scan.scan);
}

Datum column(const Scan& scan, HeapTuple row, AttrNumber number, bool& is_null) {
    return heap_getattr(row, number, RelationGetDescr(scan.table), &is_null);
}

char* text_column(const Scan& scan, HeapTuple row, AttrNumber number) {
    bool is_null;
    const Datum value = column(scan, row, number, is_null);
    return is_null ? pstrdup("") : TextDatumGetCString(value);
}

pg_uuid_t uuid_column(const Scan& scan, HeapTuple row, AttrNumber number) {
    bool is_null;
    const Datum value = column(scan, row, number, is_null);
    if (is_null)
        elog(ERROR, "a row of the registry has no id");
    return *DatumGetUUIDP(value);
}

bool bool_column(const Scan& scan, HeapTuple row, AttrNumber number) {
    bool is_null;
    return DatumGetBool(column(scan, row, number, is_null));
}

int32 int_column(const Scan& scan, HeapTuple row, AttrNumber number) {
    bool is_null;
    return DatumGetInt32(column(scan, row, number, is_null));
}

TimestampTz until_column(const Scan& scan, HeapTuple row, AttrNumber number) {
    bool is_null;
    const Datum value = column(scan, row, number, is_null);
    return is_null ? DT_NOEND : DatumGetTimestampTz(value);
}

bool names_role(const Scan& scan, HeapTuple row, AttrNumber number, Oid role) {
    bool is_null;
    const Datum name = column(scan, row, number, is_null);
    const char* present = GetUserNameFromId(role, true);
    return !is_null && present != nullptr && strcmp(NameStr(*DatumGetName(name)), present) == 0;
}

void text_key(ScanKeyData* key, AttrNumber column_number, const char* value) {
    ScanKeyInit(key, column_number, BTEqualStrategyNumber, F_TEXTEQ, CStringGetTextDatum(value));
}

void uuid_key(ScanKeyData* key, AttrNumber column_number, const pg_uuid_t& value) {
    ScanKeyInit(key, column_number, BTEqualStrategyNumber, F_UUID_EQ, UUIDPGetDatum(&value));
}

void oid_key(ScanKeyData* key, AttrNumber column_number, Oid value) {
    ScanKeyInit(key, column_number, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(value));
}

} // namespace tenancy::context::registry
