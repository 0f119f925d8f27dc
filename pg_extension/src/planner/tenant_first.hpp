// In a plan whose tenant's conditions are ordinary ones, PostgreSQL may evaluate another condition
// before them. Here they come first again.
#pragma once

#include "bridge/postgres.hpp"

namespace tenancy::planner {

// Makes every scan of a confined table (a list of Confined *) evaluate the tenant's condition
// before any other of its conditions, in the rechecks of lossy indexes too, and puts it where a
// scan does not hold it as such. So what the executor evaluates meets rows of the tenant alone. May
// raise.
void put_tenant_first(PlannedStmt* planned, List* tables);

} // namespace tenancy::planner
