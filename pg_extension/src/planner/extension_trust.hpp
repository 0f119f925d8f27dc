// Search functions and operator families that came with an extension, or that an administrator
// trusts.
#pragma once

#include "bridge/postgres.hpp"

namespace tenancy::planner {

// Whether a function that is not PostgreSQL's own, or not classified, is trusted in this database:
// the operators of pg_trgm, and what tenancy.trust_function() names.
bool is_trusted_addition(Oid function);

// Whether a function is one of this extension's that the planner cannot replace.
bool is_own_function(Oid function);

// Whether PostgreSQL itself, pg_trgm, btree_gin or btree_gist made the operator family.
bool is_trusted_family(Oid family);

} // namespace tenancy::planner
