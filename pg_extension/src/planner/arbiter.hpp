// `ON CONFLICT (email)` where the key is unique within a tenant only.
#pragma once

#include "bridge/postgres.hpp"

namespace tenancy::planner {

// Adds the tenant column to what each ON CONFLICT of a statement names, where the protected table
// has no unique index on what is named alone and has one on that and the tenant. May raise.
void add_tenant_to_arbiters(Query* statement);

} // namespace tenancy::planner
