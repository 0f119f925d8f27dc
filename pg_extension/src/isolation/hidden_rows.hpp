// Detaching a partition has to see the rows that FORCE ROW SECURITY hides from the table's owner,
// as foreign keys may refer to them. Other code that the same command calls (triggers for DDL) does
// not: while it runs, FORCE holds.
#pragma once

#include "bridge/postgres.hpp"

namespace tenancy::isolation {

// While alive, PostgreSQL's own queries see hidden rows; functions that are no part of PostgreSQL
// do not, and those of PostgreSQL's that run a query of the caller's are refused. Never raises.
class HiddenRows {
public:
    HiddenRows() noexcept;
    HiddenRows(const HiddenRows&) = delete;
    HiddenRows& operator=(const HiddenRows&) = delete;
    ~HiddenRows();

private:
    Oid user_ = InvalidOid;
    int security_ = 0;
    bool outer_;
};

// From the object access hook, for a function that is to be called. Raises 0A000.
void refuse_running_queries(Oid function);

// Called once, from _PG_init.
void install_function_hook();

} // namespace tenancy::isolation
