// The rules of the plain file, from sql/lint: a query with two parameters of type text[], the names
// of tenant columns and the tables that are none of tenants'. The build makes rules.cpp of it.
#pragma once

#include <string_view>

namespace tenancy::sidecar::lint {

extern const std::string_view plain_rules;

} // namespace tenancy::sidecar::lint
