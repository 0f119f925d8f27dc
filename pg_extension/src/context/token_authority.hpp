// Tokens as an authority: finds the key by issuer and kid, has core verify the signature and the
// claims, and hands back plain data.
#pragma once

#include "core/tenant_name.hpp"
#include "context/state.hpp"

namespace tenancy::context::token_authority {

// What a verified token says. Plain data: the texts are palloc'd in the caller's memory context.
struct Verdict {
    Context context; // all but what the registry knows of the tenant
    char* tenant;    // as the token names it
    char* alias_kind;
    bool all_tenants;
};

// Raises TN006, TN007.
Verdict verify(const char* raw);

// How the token names its tenant; borrows from the verdict.
Designator designator(const Verdict& verdict);

bool speaks_for(const Verdict& verdict, const pg_uuid_t& tenant);

// Whether the key that verified the pinned context's token is still there and speaks for the
// tenant, and the token was not revoked.
bool still_valid(const Context& context);

// The token names a tenant that does not exist, or that its key does not speak for: one error.
[[noreturn]] void wrong_tenant();

} // namespace tenancy::context::token_authority
