// Reading the registry from C++: by index, with a catalog snapshot, so that a REPEATABLE READ
// transaction too sees what has been committed. No SPI, no rights needed, works on a standby.
#pragma once

#include "bridge/postgres.hpp"
#include "context/state.hpp"

namespace tenancy::context::registry {

enum class TenantState : uint8 {
    provisioning,
    active,
    read_only,
    suspended,
    archived,
    erasing,
    erased
};

const char* state_name(TenantState state);

struct Tenant {
    pg_uuid_t id;
    TenantState state;
    bool has_external_bigint;
    int64 external_bigint;
    char slug[slug_size];
    char tier[slug_size];
    char external_id[external_id_size];
};

struct Grant {
    int64 id;
    bool read_only;
    bool session_scope;
    TimestampTz valid_until; // DT_NOEND: none
};

struct SigningKey {
    char* jwk; // palloc'd in the caller's memory context, like the other texts
    char* audience;
    char* tenant_claim;
    char* actor_claim;
    char* mode_claim;
    char* role_claim;
    char* alias_kind; // empty: the tenant claim holds a slug, an id or kind:value
    bool all_tenants;
    bool default_read_only;
    int32 max_lifetime; // seconds
    int32 leeway;       // seconds
};

// Called once when the library is loaded; `early` when that was before the session's first command.
void initialise(bool early);
bool preloaded();

// Whether CREATE EXTENSION was run in this database.
bool installed();

// Counts what backends were told of changes. What was read at an older epoch may be stale.
uint64 epoch();
// Takes in what other backends have sent: 11 ns when there is nothing.
void accept_invalidations();
// Tells all backends at COMMIT that the registry has changed.
void signal_change();
// To be called for every relation cache invalidation. Never raises.
void relation_invalidated(Oid relation);

// Each returns false when there is no such row.
bool tenant_by_id(const pg_uuid_t& id, Tenant& tenant);
bool tenant_by_slug(const char* slug, Tenant& tenant);
bool tenant_by_external_id(const char* external_id, Tenant& tenant);
bool tenant_by_alias(const char* kind, const char* value, Tenant& tenant);

// The ids of all tenants that are active or read_only, in order of id; palloc'd.
pg_uuid_t* open_tenants(int& count);

// The strongest unexpired grant of `role` for the tenant: its own, or one given to the direct
// members of a role it is in.
bool find_grant(Oid role, const pg_uuid_t& tenant, Grant& grant);

// The caps of a tier as a JSON object; nullptr when there is no such tier. palloc'd.
Jsonb* tier_limits(const char* tier);

bool signing_key(const char* issuer, const char* kid, SigningKey& key);
bool key_speaks_for(const char* issuer, const char* kid, const pg_uuid_t& tenant);
bool token_revoked(const char* issuer, const char* jti);

// Whether the role is a member of tenancy_<kind>, and tenancy.operator lists it, or a role it is a
// member of, for that kind.
bool is_operator(Oid role, const char* kind);

// Whether the role has BYPASSRLS and is registered; `backup` tells whether its purpose is that.
bool is_registered_bypass(Oid role, bool& backup);

// Whether the role has an unexpired grant of tenancy.grant_explain.
bool may_explain(Oid role);

// Whether an administrator trusts the function of this signature and owner with all tenants'
// values.
bool is_trusted_function(const char* signature, const char* owner);

// Fills id, slug, tier, external id of an existing tenant into a context. Raises when unknown.
void describe_tenant(const pg_uuid_t& id, Context& context);
void describe(const Tenant& tenant, Context& context);

} // namespace tenancy::context::registry
