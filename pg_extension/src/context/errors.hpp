// The errors of the context, each worded once: SQLSTATE, message, next step. None names a tenant
// other than the one the caller named or works for.
#pragma once

#include "context/state.hpp"

namespace tenancy::context::errors {

[[noreturn]] void no_context();
[[noreturn]] void not_one_tenant();
[[noreturn]] void already_set(const Context& present);
[[noreturn]] void context_changed();
[[noreturn]] void not_preloaded();
[[noreturn]] void not_installed();
[[noreturn]] void access_denied(const char* designator);
[[noreturn]] void all_tenants_denied();
[[noreturn]] void access_withdrawn();
[[noreturn]] void tenant_unknown(const char* designator);
[[noreturn]] void tenant_unavailable(const char* slug, const char* state);
[[noreturn]] void became_read_only(const char* slug);
[[noreturn]] void expired(const Context& context);
[[noreturn]] void entry_refused(const char* why);
[[noreturn]] void literal_token();
[[noreturn]] void session_scope_denied();
[[noreturn]] void prepared_transaction();

} // namespace tenancy::context::errors
