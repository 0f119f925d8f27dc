// Plans without the price of row security: a tenant's condition becomes an ordinary one where that
// tells nothing about other tenants' rows. docs/explanation/index-pushdown.md has the argument.
#pragma once

#include "bridge/postgres.hpp"
#include "planner/tenant_parameter.hpp"

namespace tenancy::planner {

// A protected table, as one user reads it, with the condition that confines it to the tenant's
// rows.
struct Confined {
    Oid relation;
    Oid user;          // whose rights decide; InvalidOid for the current one
    AttrNumber column; // the tenant's
    Index number;      // of the entry in the range table that `condition` speaks of
    Node* condition;
};

// To be called with a statement that is about to be planned. PostgreSQL's rewriter has left the
// tenant's conditions behind security barriers, which keep whatever is not leakproof away from
// indexes and statistics. Where the whole statement is trusted (trust.hpp) they become ordinary
// conditions at the same place; else the barriers stay, and trusted conditions pass them. Returns
// the tables concerned (Confined *) for put_tenant_first, which the plan needs; NIL when nothing
// was changed. In their conditions a parameter stands for the tenant. May raise.
List* open_barriers(Query* statement, ParamListInfo parameters, TenantParameters* tenant);

} // namespace tenancy::planner
