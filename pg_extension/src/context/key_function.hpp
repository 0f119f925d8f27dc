// The functions that tell the tenant of the context as a key: tenancy.current_tenant_...().
#pragma once

#include "bridge/postgres.hpp"
#include "context/state.hpp"

namespace tenancy::context {

// How a tenant column names the tenant: which of the functions it is compared with.
enum class KeyKind : uint8 { none, uuid, text, bigint, integer };

// Which key a node of a statement or a plan tells: a call of one of the functions, or a parameter
// that stands for one; none for every other node. Looks the functions up after the registry has
// changed, and may raise then.
KeyKind key_kind_of(const Node* node);

// The parameter that stands for a call in plans, and the call that a parameter stands for. No
// statement numbers its own parameters as high as `first_key_parameter`.
constexpr int first_key_parameter = PG_INT32_MAX - 15;
Param* key_parameter(const FuncExpr* call);
FuncExpr* key_call(const Param* parameter);

// Which key the parameter of a number tells.
KeyKind key_kind_of_parameter(int number);

// What the function that tells a key of this kind answers now; `is_null` as on_missing_context
// chooses. Raises what it raises.
Datum key_answer(KeyKind kind, bool* is_null);

// What the function that tells a key of this kind answers in a context, in memory of its own;
// nullptr where it would raise.
Const* key_constant(KeyKind key, const Context& context);

} // namespace tenancy::context
