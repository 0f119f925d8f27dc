// The keys that sign tokens, and the tokens that were revoked; see registry.hpp.
#include "context/registry.hpp"
#include "context/registry_scan.hpp"

namespace tenancy::context::registry {

namespace {

// Columns, in the order of sql/020_registry.sql.
enum KeyColumn : AttrNumber {
    key_issuer_column = 1,
    key_kid_column,
    key_jwk_column,
    key_algorithm_column,
    key_audience_column,
    key_all_tenants_column,
    key_max_lifetime_column,
    key_leeway_column,
    key_default_mode_column,
    key_tenant_claim_column,
    key_actor_claim_column,
    key_mode_claim_column,
    key_role_claim_column,
    key_alias_kind_column
};

} // namespace

bool signing_key(const char* issuer, const char* kid, SigningKey& key) {
    ScanKeyData keys[2];
    text_key(&keys[0], key_issuer_column, issuer);
    text_key(&keys[1], key_kid_column, kid);
    const Scan scan = begin("signing_key", "signing_key_pkey", keys, 2);
    HeapTuple row = next(scan);
    const bool found = HeapTupleIsValid(row);
    if (found) {
        key.jwk = text_column(scan, row, key_jwk_column);
        key.audience = text_column(scan, row, key_audience_column);
        key.tenant_claim = text_column(scan, row, key_tenant_claim_column);
        key.actor_claim = text_column(scan, row, key_actor_claim_column);
        key.mode_claim = text_column(scan, row, key_mode_claim_column);
        key.role_claim = text_column(scan, row, key_role_claim_column);
        key.alias_kind = text_column(scan, row, key_alias_kind_column);
        key.all_tenants = bool_column(scan, row, key_all_tenants_column);
        key.default_read_only =
            strcmp(text_column(scan, row, key_default_mode_column), "read_only") == 0;
        key.max_lifetime = int_column(scan, row, key_max_lifetime_column);
        key.leeway = int_column(scan, row, key_leeway_column);
    }
    end(scan);
    return found;
}

bool key_speaks_for(const char* issuer, const char* kid, const pg_uuid_t& tenant) {
    ScanKeyData keys[3];
    text_key(&keys[0], 1, issuer);
    text_key(&keys[1], 2, kid);
    uuid_key(&keys[2], 3, tenant);
    const Scan scan = begin("signing_key_tenant", "signing_key_tenant_pkey", keys, 3);
    const bool found = HeapTupleIsValid(next(scan));
    end(scan);
    return found;
}

bool token_revoked(const char* issuer, const char* jti) {
    if (jti[0] == '\0')
        return false;
    ScanKeyData keys[2];
    text_key(&keys[0], 1, issuer);
    text_key(&keys[1], 2, jti);
    const Scan scan = begin("token_revocation", "token_revocation_pkey", keys, 2);
    const bool found = HeapTupleIsValid(next(scan));
    end(scan);
    return found;
}

} // namespace tenancy::context::registry
