// Whatever the extension does to a user's table, or calls of a user's functions, happens here: as
// the owner, in a security-restricted operation. A trigger, check, default, index expression or
// rule that runs on the way has the rights of the owner who wrote it and of nobody else.
#pragma once

#include "bridge/postgres.hpp"

namespace tenancy::isolation {

struct OwnerCommand {
    Oid role;                // whose rights count
    const char* sql;         // every name qualified: search_path is pg_catalog, pg_temp
    const pg_uuid_t* tenant; // runs inside this tenant's context, whatever its state; or nullptr
    bool no_force;           // sees all rows of the role's own tables despite FORCE ROW SECURITY
};

// Runs the command and returns the rows it processed; for a query with one bigint as its result,
// that number. Deferred triggers of the caller fire before, as the caller, and those of the command
// before this returns, as the owner: all constraints stay IMMEDIATE until the transaction ends.
// Raises what the command raises; aborting the (sub)transaction puts user and settings back.
int64 run_as_owner(const OwnerCommand& command);

// The owner of a relation. Raises 42P01 when there is none.
Oid owner_of(Oid relation);

// Whether what begins now is a DDL command of the extension's own, or, with `is_part`, a part of
// one that PostgreSQL runs as a command: these the DDL rules let pass, and no command that code of
// the owner's issues meanwhile.
bool internal_ddl_begins(bool is_part);

// The same, asked from inside the command: by object access hooks and event triggers.
bool internal_ddl_runs();

// Whether what begins now is a command of the extension's own, DDL or in a tenant's context.
bool internal_work_begins();

} // namespace tenancy::isolation
