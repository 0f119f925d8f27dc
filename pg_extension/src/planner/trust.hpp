// Which statements and conditions may be planned with a tenant's condition as an ordinary one.
//
// A cast that raises, an operator without search support: these are evaluated by the executor
// alone, after the tenant's condition (tenant_first.hpp), so they need no trust. What does is
// whatever PostgreSQL evaluates on its own account on values that are not the tenant's: operators
// inside an index, and on the values that the statistics hold; and what could become one of these
// while the planner works, as functions of the users' can.
#pragma once

#include "bridge/postgres.hpp"

namespace tenancy::planner {

// Whether every search operator of a statement is trusted, and no function in it could become
// another one (SQL functions are inlined, support functions make conditions) after it was looked
// at. Target lists of the topmost query, and of data-modifying ones what they return and store, do
// not count: no condition is ever made of them. May raise, and evaluates what the planner would.
bool is_trusted(Query* statement, ParamListInfo parameters);

// Whether one condition that holds no sub-select may be evaluated before those beside it: it is
// trusted, and raises nothing. May raise.
bool may_pass(Node* condition, ParamListInfo parameters);

// Whether the planner will know a condition's value before there is a row. May raise.
bool is_known(Node* condition, ParamListInfo parameters);

} // namespace tenancy::planner
