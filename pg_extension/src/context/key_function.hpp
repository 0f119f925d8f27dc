// The functions that tell the tenant of the context as a key: tenancy.current_tenant_...().
#pragma once

#include "bridge/postgres.hpp"
#include "context/state.hpp"

namespace tenancy::context {

// How a tenant column names the tenant: which of the functions it is compared with.
enum class KeyKind : uint8 { none, uuid, text, bigint, integer };

// Which key a function tells; none for every other function. Looks the functions up after the
// registry has changed, and may raise then.
KeyKind key_kind_of(Oid function);

// What the function that tells a key of this kind answers in a context, in memory of its own;
// nullptr where it would raise.
Const* key_constant(KeyKind key, const Context& context);

} // namespace tenancy::context
