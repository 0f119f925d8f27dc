// A prepared statement of a protected table has no parameter for the tenant, so PostgreSQL would
// keep the plan that it made for whoever came first. Here such a plan is kept for tenants of about
// the same size, and is made again, for the statements concerned, when a tenant of another size
// comes.
#pragma once

#include "bridge/postgres.hpp"
#include "context/state.hpp"

namespace tenancy::planner {

// To be called with a plan that may be kept (made without the values of parameters) and the
// protected tables in it (Confined *). Lets the plan be dropped when the size of the tenant
// changes. May raise.
void keep_for_size(PlannedStmt* planned, List* tables);

// To be called when the backend begins to work for a tenant: plans made for another size are
// dropped from this backend's cache. Nothing while the tenant stays the same. Never raises.
void tenant_entered(const context::Context& tenant);

// To be called for every relation cache invalidation; InvalidOid means all. Never raises.
void table_invalidated(Oid relation);

} // namespace tenancy::planner
