// Scans of the registry's tables by index, for the files that implement registry.hpp alone. Each
// may raise; palloc'd results live in the current memory context.
#pragma once

#include "bridge/postgres.hpp"

namespace tenancy::context::registry {

// An open index scan over one table of the registry; end() closes it.
struct Scan {
    Relation table;
    SysScanDesc scan;
};

// A relation of the schema tenancy. Raises when the extension is not installed.
Oid registry_relation(const char* name);

Scan begin(const char* table, const char* index, ScanKeyData* keys, int count);
HeapTuple next(const Scan& scan);
void end(const Scan& scan);

Datum column(const Scan& scan, HeapTuple row, AttrNumber number, bool& is_null);
char* text_column(const Scan& scan, HeapTuple row, AttrNumber number); // NULL: empty
pg_uuid_t uuid_column(const Scan& scan, HeapTuple row, AttrNumber number);
bool bool_column(const Scan& scan, HeapTuple row, AttrNumber number);
int32 int_column(const Scan& scan, HeapTuple row, AttrNumber number);
TimestampTz until_column(const Scan& scan, HeapTuple row, AttrNumber number); // NULL: DT_NOEND

// Whether a row made for a role is still about that role: oids are kept and names are checked, so
// that neither a recycled oid nor a re-created name inherits what another role was given.
bool names_role(const Scan& scan, HeapTuple row, AttrNumber number, Oid role);

// Texts are compared in the order of the collation C, which their indexes must have.
void text_key(ScanKeyData* key, AttrNumber column_number, const char* value);
void uuid_key(ScanKeyData* key, AttrNumber column_number, const pg_uuid_t& value);
void oid_key(ScanKeyData* key, AttrNumber column_number, Oid value);

} // namespace tenancy::context::registry
