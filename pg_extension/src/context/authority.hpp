// From a text that names a tenant, or a token, to a context that the outer user has a right to.
#pragma once

#include "context/state.hpp"

namespace tenancy::context::authority {

enum class Scope : uint8 { transaction, session };

// Whether the rules and guards for applications hold for a role: true for all but superusers,
// roles with BYPASSRLS, and operators of kind admin.
bool is_guarded(Oid role);

// Whether code that runs now may set the context by other ways than the entry rule's: an unguarded
// role itself may, code of another owner on its behalf (SECURITY DEFINER, a trigger during
// maintenance) may not, since the context would be set with the role's authority.
bool may_enter_anywhere();

// Resolves `raw` (slug, id, kind:value, or token) for GetOuterUserId(). Answers from the backend's
// cache while the registry has not changed. Raises 42501, TN004, TN005, TN006, TN007, TN011.
Context resolve(const char* raw, Scope scope);

// The context of all tenants, for a registered role with BYPASSRLS. Raises 42501.
Context resolve_all();

// Makes `context` that of the transaction: refuses another one than the present (TN002), and
// clears what the session's last tenant left behind.
void admit(const Context& context, const char* raw);

// Whether state, grant and key still allow the pinned context; lowers it to read-only where they
// allow no more. Raises TN005, 42501, 25006.
void reconfirm(Context& context);

} // namespace tenancy::context::authority
