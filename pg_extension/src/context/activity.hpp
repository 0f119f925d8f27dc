// Which backend works for which tenant right now, in shared memory; and waiting for those that do.
// Needs shared_preload_libraries; without it, publishing does nothing and waiting is for every
// transaction of the database.
#pragma once

#include "context/state.hpp"

namespace tenancy::context::activity {

// Called from _PG_init while shared_preload_libraries are loaded.
void request_shared_memory();

// Says what this backend works for; withdraw never raises.
void publish(const Context& context);
void withdraw();

// Whom to wait for.
enum class Whom : uint8 {
    in_tenant,  // transactions whose context is the tenant, or all tenants
    any_writer, // and all others that are not known to be confined to another tenant
};

// Waits until the transactions that were running at the call, prepared ones included, have ended.
// `cancel` cancels the statements and ends the idle sessions of those `in_tenant`. Returns how
// many it waited for. Raises TN023 when `timeout` milliseconds (0: none) have passed.
//
// Those that wait here do not wait for each other: unless the caller's transaction has written
// already, it cannot commit if it writes.
int64 wait_for(const pg_uuid_t& tenant, Whom whom, bool cancel, int64 timeout);

// Before this backend's transaction commits or is prepared. Raises 25006 when it has waited, and
// written since.
void check_commit();
// At its end.
void transaction_ended();

} // namespace tenancy::context::activity
