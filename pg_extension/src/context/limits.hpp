// Caps of a tenant's tier on session settings (statement_timeout, work_mem, ...): applied when the
// context is entered, held against what the session sets afterwards.
#pragma once

#include "context/state.hpp"

namespace tenancy::context::limits {

// Lowers what exceeds the caps of the context's tier, for the transaction.
void apply(const Context& context);

// Raises 42501 when a setting exceeds a cap of the tier that was applied last in this transaction.
void check();

// At the end of a transaction. Never raises.
void forget();

} // namespace tenancy::context::limits
