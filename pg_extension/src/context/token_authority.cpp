// See token_authority.hpp.
#include <string>
#include <string_view>

#include "core/error.hpp"
#include "core/jwk.hpp"
#include "core/sqlstate.hpp"
#include "core/tenant_name.hpp"
#include "core/token.hpp"
#include "bridge/call.hpp"
#include "bridge/entry.hpp"
#include "bridge/sqlstate.hpp"
#include "context/errors.hpp"
#include "context/registry.hpp"
#include "context/token_authority.hpp"

namespace tenancy::context::token_authority {

namespace {

constexpr int64 postgres_epoch_seconds = 946684800; // 2000-01-01, in seconds since 1970

int64 unix_now() {
    return GetCurrentTimestamp() / USECS_PER_SEC + postgres_epoch_seconds;
}

TimestampTz to_timestamp(int64 unix_seconds) {
    return (unix_seconds - postgres_epoch_seconds) * USECS_PER_SEC;
}

uint64 fingerprint(const char* jwk) {
    return hash_bytes_extended(reinterpret_cast<const unsigned char*>(jwk),
                               static_cast<int>(strlen(jwk)), 0);
}

[[noreturn]] void refuse(const char* message, const char* hint) {
    throw Error(sqlstate::token_invalid, message, hint);
}

registry::SigningKey find_key(const UnverifiedToken& token) {
    registry::SigningKey key;
    const char* issuer = token.issuer().c_str();
    const char* kid = token.kid().c_str();
    if (!pg_call([&] { return registry::signing_key(issuer, kid, key); }))
        refuse("no signing key is registered for the token's issuer and key id",
               "An operator adds one with tenancy.add_signing_key.");
    return key;
}

TokenPolicy policy_of(const UnverifiedToken& token, const registry::SigningKey& key) {
    TokenPolicy policy;
    policy.issuer = token.issuer();
    policy.audience = key.audience;
    policy.max_lifetime = key.max_lifetime;
    policy.leeway = key.leeway;
    policy.tenant_claim = key.tenant_claim;
    policy.actor_claim = key.actor_claim;
    policy.mode_claim = key.mode_claim;
    policy.role_claim = key.role_claim;
    policy.now = unix_now();
    return policy;
}

void require_role(const Claims& claims) {
    if (!claims.role)
        return;
    const char* role = pg_call([] { return GetUserNameFromId(GetOuterUserId(), false); });
    if (*claims.role != role)
        refuse("the token is for another database role", "Connect as the role it names.");
}

void require_not_revoked(const UnverifiedToken& token, const Claims& claims) {
    if (!claims.jti)
        return;
    const char* issuer = token.issuer().c_str();
    const char* jti = claims.jti->c_str();
    if (pg_call([&] { return registry::token_revoked(issuer, jti); }))
        throw Error(sqlstate::token_expired, "the token was revoked", "Get a new one.");
}

void describe(const UnverifiedToken& token, const Claims& claims, const registry::SigningKey& key,
              Context& context) {
    context.kind = Kind::tenant;
    context.authority = Authority::token;
    context.outer_user = GetOuterUserId();
    context.expires = to_timestamp(claims.exp + key.leeway);
    context.key_fingerprint = fingerprint(key.jwk);
    context.read_only = claims.mode ? *claims.mode == TokenMode::read_only : key.default_read_only;
    strlcpy(context.actor, claims.actor.c_str(), sizeof context.actor);
    strlcpy(context.issuer, token.issuer().c_str(), sizeof context.issuer);
    strlcpy(context.kid, token.kid().c_str(), sizeof context.kid);
    strlcpy(context.jti, claims.jti ? claims.jti->c_str() : "", sizeof context.jti);
}

char* keep(std::string_view text) {
    return pg_call([&] { return pnstrdup(text.data(), text.size()); });
}

Verdict verify_token_text(const char* raw) {
    Verdict verdict{};
    verdict.context.epoch = registry::epoch();
    const UnverifiedToken token = parse_token(raw);
    const registry::SigningKey key = find_key(token);
    const VerifyingKey verifier = VerifyingKey::from_jwk(key.jwk);
    const Claims claims = verify_token(token, verifier, policy_of(token, key));
    require_role(claims);
    require_not_revoked(token, claims);
    describe(token, claims, key, verdict.context);
    verdict.tenant = keep(claims.tenant);
    verdict.alias_kind = key.alias_kind;
    verdict.all_tenants = key.all_tenants;
    return verdict;
}

} // namespace

// What core refuses without a hint has the same next step: another token.
Verdict verify(const char* raw) {
    try {
        return verify_token_text(raw);
    } catch (const Error& error) {
        if (!error.hint().empty())
            throw;
        throw Error(
            error.sqlstate(), error.message(),
            "Get a token from an issuer whose key is registered; its issuer, kid, audience and "
            "lifetime have to be those of tenancy.signing_key.",
            error.detail());
    }
}

Designator designator(const Verdict& verdict) {
    if (verdict.alias_kind[0] != '\0') {
        Designator name;
        name.kind = Designator::Kind::alias;
        name.alias_kind = verdict.alias_kind;
        name.value = verdict.tenant;
        return name;
    }
    return classify_designator(verdict.tenant);
}

bool speaks_for(const Verdict& verdict, const pg_uuid_t& tenant) {
    return verdict.all_tenants ||
           registry::key_speaks_for(verdict.context.issuer, verdict.context.kid, tenant);
}

bool still_valid(const Context& context) {
    registry::SigningKey key;
    return registry::signing_key(context.issuer, context.kid, key) &&
           fingerprint(key.jwk) == context.key_fingerprint &&
           (key.all_tenants ||
            registry::key_speaks_for(context.issuer, context.kid, context.tenant)) &&
           !registry::token_revoked(context.issuer, context.jti);
}

void wrong_tenant() {
    ereport(ERROR, (tn_errcode(sqlstate::token_invalid),
                    errmsg("the token names no tenant that its key speaks for"),
                    errhint("An operator sees the key's tenants in tenancy.signing_key_tenant.")));
    pg_unreachable();
}

TENANCY_FUNCTION(check_signing_key) {
    const char* jwk = text_to_cstring(PG_GETARG_TEXT_PP(0));
    const char* name;
    {
        const VerifyingKey key = VerifyingKey::from_jwk(jwk);
        name = algorithm_name(key.algorithm());
    }
    return CStringGetTextDatum(name);
}

} // namespace tenancy::context::token_authority
