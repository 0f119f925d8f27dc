// Refuses DDL that would open a protected table (TN018). The first line: called from the utility
// and object access hooks; the event triggers of sql/370_ddl.sql stand behind it. Commands of the
// extension's own pass, and everything passes while tenancy.guard is off.
#pragma once

#include "bridge/postgres.hpp"

namespace tenancy::isolation {

// Before a utility statement runs. Raises TN018.
void check_ddl(const PlannedStmt* statement, ProcessUtilityContext kind);

// Whether the statement detaches a partition of a protected table, which may leave only when
// nothing refers to its rows. It must then run with SECURITY_NOFORCE_RLS in the security context:
// PostgreSQL otherwise looks at the rows visible to the owner only. (For foreign keys that are
// added or validated see forced.hpp.)
bool needs_no_force(const PlannedStmt* statement);

// From the object access hook. Raises TN018 when the extension or its schema is dropped, by any
// route, while a table is protected.
void on_object_access(ObjectAccessType access, Oid class_id, Oid object_id);

} // namespace tenancy::isolation
