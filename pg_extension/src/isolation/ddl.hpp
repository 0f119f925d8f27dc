// Refuses DDL that would open a protected table (TN018). The first line: called from the utility
// and object access hooks; the event triggers of sql/370_ddl.sql stand behind it. Commands of the
// extension's own pass, and everything passes while tenancy.guard is off.
#pragma once

#include "bridge/postgres.hpp"

namespace tenancy::isolation {

// Before a utility statement runs. Raises TN018.
void check_ddl(const PlannedStmt* statement);

// Whether the statement adds, validates or, detaching a partition, checks a foreign key that
// touches a protected table. It must then run with SECURITY_NOFORCE_RLS in the security context:
// PostgreSQL otherwise validates the key against the rows visible to the owner only, and marks a
// violated key as valid.
bool needs_no_force(const PlannedStmt* statement);

// From the object access hook. Raises TN018 when the extension or its schema is dropped, by any
// route, while a table is protected.
void on_object_access(ObjectAccessType access, Oid class_id, Oid object_id);

} // namespace tenancy::isolation
