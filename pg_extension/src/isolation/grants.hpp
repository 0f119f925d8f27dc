// The part of the DDL rules that is about GRANT; see ddl.hpp.
#pragma once

#include "bridge/postgres.hpp"

namespace tenancy::isolation {

// Refuses (TN018) to give TRUNCATE, REFERENCES, TRIGGER, MAINTAIN or ALL on a protected table, or
// SELECT, UPDATE or ALL on a sequence it owns, to anybody but its owner; likewise writing rights on
// a shared table.
void check_grant(const GrantStmt* statement);

} // namespace tenancy::isolation
