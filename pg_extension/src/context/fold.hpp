// Long queries compare every row with the tenant. For them the call that tells it is replaced, for
// this one execution, by what it answers: then a scan costs what it costs with a hand-written
// `tenant_id = '...'`.
#pragma once

#include "bridge/postgres.hpp"

namespace tenancy::context::fold {

// Gives the query, which has not started, a plan of its own in which the conditions on rows hold
// the tenant of the present context as a constant. Returns the memory context of that plan, for
// planner::keep_plan, or nullptr when the plan is left alone: cheap, without such a condition, only
// explained, or without a context. The value is final until the transaction ends, as the context
// is; in tenancy.test_mode, where it is not, plans are left alone. May raise; nothing in it has a
// destructor.
MemoryContext enter_constants(QueryDesc* query, int flags);

} // namespace tenancy::context::fold
