// What a tenant may leave in a pooled session for the next one to stumble over: temporary objects,
// SQL-level prepared statements, cursors WITH HOLD, the sequence cache, LISTENs, session advisory
// locks.
#pragma once

#include "context/state.hpp"

namespace tenancy::context::leftovers {

// What this session was seen to create; the next tenant clears it. None raises.
void note_prepared();
void note_held();
void note_listen();

// To be called when a transaction or a savepoint is rolled back, and when a transaction has ended.
// Neither raises.
void rolled_back();
void transaction_ended();

// Before `next` is pinned, also again after a rollback to a savepoint: when the session's last
// tenant was another, clears what it left.
void clear(const Context& next);

// Whether clear() is at work: its own queries are nobody's.
bool is_clearing();

// Whether this session has entered a tenant, at whatever time, rolled back or not.
bool any_tenant();

} // namespace tenancy::context::leftovers
