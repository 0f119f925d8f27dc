// PostgreSQL's own search functions: those behind operators that an index, or the statistics of a
// column, can answer. With a tenant's condition among the ordinary ones they meet other tenants'
// values in two places, inside an index and in the statistics; so only those are trusted that tell
// nothing there. The argument, class by class: docs/explanation/index-pushdown.md.
#pragma once

#include "bridge/postgres.hpp"

namespace tenancy::planner {

enum class Trust : uint8 {
    none,       // not classified: not trusted
    always,     // raises nothing, whatever the values are
    by_element, // as the functions of its elements, or of its range's bounds, do
    by_pattern, // unless the pattern ends with its escape character
};

// Of a function that is not LEAKPROOF; those that are, PostgreSQL trusts itself.
Trust trust_of(Oid function);

// Whether arrays and ranges of this type, or the type itself, compare by functions of Trust::always
// alone. `type` is what an operator's argument has: an array, a range, an enum or an element.
bool is_plain_type(Oid type);

} // namespace tenancy::planner
