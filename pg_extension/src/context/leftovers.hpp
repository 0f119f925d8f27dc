// What a tenant may leave in a pooled session for the next one to stumble over: temporary objects,
// SQL-level prepared statements, the sequence cache, LISTENs, session advisory locks.
#pragma once

#include "context/state.hpp"

namespace tenancy::context::leftovers {

// What this session was seen to create; the next tenant clears it. None of these raises.
void note_prepared();
void note_listen();
void note_advisory_lock();
void transaction_aborted();

// Before `next` is pinned: when the session's last tenant was another, clears what it left.
void clear(const Context& next);

} // namespace tenancy::context::leftovers
