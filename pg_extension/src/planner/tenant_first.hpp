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

// To be called with what PostgreSQL knows of a table it plans. A partial index on one tenant's rows
// makes the condition needless for the planner, and the index then lacks the column for it: it is
// kept from index-only scans.
void keep_tenant_column(PlannerInfo* planner, Oid relation, RelOptInfo* planned);

} // namespace tenancy::planner
