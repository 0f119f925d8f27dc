// COPY ... FROM into a protected table. PostgreSQL refuses it to roles that row security binds;
// here it runs as one INSERT of the rows that PostgreSQL's own COPY reader finds: policies,
// triggers, constraints and partitions are the executor's, as in any INSERT.
#pragma once

#include "bridge/postgres.hpp"

namespace tenancy::copy {

// Runs the statement and returns true when it is a COPY FROM into a protected table by a role that
// row security binds; returns false when PostgreSQL is to run or to refuse it. Raises what COPY and
// INSERT raise, and 0A000 for FREEZE and for tables with ON INSERT rules. Nothing in it has a
// destructor: call it with or without pg_call.
bool run_copy_from(const PlannedStmt* planned, const char* text, QueryCompletion* completion);

} // namespace tenancy::copy
