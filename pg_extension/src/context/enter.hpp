// SET tenancy.context as the utility hook sees it; tenancy.enter and its kin are SQL functions.
#pragma once

#include "bridge/postgres.hpp"

namespace tenancy::context {

// The rest of the utility hook's chain, to be run through pg_call.
struct UtilityRun {
    void (*run)(void* argument);
    void* argument;
};

// Handles SET, RESET of tenancy.context, the statement itself included, and returns true; false
// when the statement is another one. Raises TN002, TN009 and what resolving a tenant raises.
bool handle_set(const PlannedStmt* planned, const char* source, ProcessUtilityContext context,
                const UtilityRun& next);

// RESET tenancy.context: ends a session's context between transactions.
void forget_context(const UtilityRun& next);

} // namespace tenancy::context
