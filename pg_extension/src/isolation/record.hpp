// What tenancy.protected_table says of a relation, for telling that a table lost its protection.
#pragma once

#include "bridge/postgres.hpp"

namespace tenancy::isolation {

// Whether the relation, or one that it is a partition or child of, was recorded as protected. An
// index scan for each level; may raise.
bool is_recorded(Oid relation);

} // namespace tenancy::isolation
