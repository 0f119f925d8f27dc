// Signed tokens: compact JWS (RFC 7515) that carry JWT claims (RFC 7519), following the best
// current practices of RFC 8725. Use: parse_token, find the key of (issuer, kid), verify_token.
#pragma once

#include "json.hpp"
#include "jwk.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tenancy {

inline constexpr std::size_t max_token_bytes = 8192;
inline constexpr std::size_t max_kid_bytes = 64;
inline constexpr std::size_t max_claim_bytes = 255;        // iss, tenant, actor, role, jti
inline constexpr std::int64_t default_leeway = 30;         // seconds
inline constexpr std::int64_t max_leeway = 30;             // seconds
inline constexpr std::int64_t max_time = 9007199254740991; // 2^53 - 1, seconds since 1970

enum class TokenMode : std::uint8_t { read_write, read_only };

// What a token claims, once its signature has been verified. Owns its strings; none holds control
// characters. Times are seconds since 1970-01-01 UTC, from 0 to max_time.
struct Claims {
    std::string tenant; // as the token names it, for the caller to resolve
    std::string actor;
    std::optional<std::string> role;
    std::optional<TokenMode> mode;
    std::int64_t exp = 0;
    std::int64_t iat = 0;
    std::optional<std::int64_t> nbf;
    std::optional<std::string> jti;
};

// What the key's registration demands of a token. All views are borrowed for the call.
struct TokenPolicy {
    std::string_view issuer;              // equals iss
    std::string_view audience;            // equals aud, or one of aud
    std::int64_t max_lifetime = 0;        // seconds from iat to exp, more than 0
    std::int64_t leeway = default_leeway; // seconds of clock skew, 0 to max_leeway
    // Names of members at the top level of the claims; a dot or slash in a name means nothing, so
    // "https://example.com/tenant" is a name. An empty mode_claim or role_claim is not looked for.
    std::string_view tenant_claim = "tenant"; // required, a string
    std::string_view actor_claim = "sub";     // required, a string
    std::string_view mode_claim = "mode";     // "read_write" or "read_only" when present
    std::string_view role_claim;              // a string when present
    std::int64_t now = 0;                     // seconds since 1970-01-01 UTC
};

// A token that has been taken apart and whose form is right, and nothing more. Only what finds the
// key can be read; all other claims stay closed until verify_token. Borrows the compact text, which
// has to outlive it.
class UnverifiedToken {
public:
    [[nodiscard]] Algorithm algorithm() const { return algorithm_; }
    [[nodiscard]] const std::string& kid() const { return kid_; }
    [[nodiscard]] const std::string& issuer() const { return issuer_; }

private:
    friend UnverifiedToken parse_token(std::string_view compact);
    friend Claims verify_token(const UnverifiedToken& token, const VerifyingKey& key,
                               const TokenPolicy& policy);
    UnverifiedToken() = default;

    Algorithm algorithm_ = Algorithm::eddsa;
    std::string kid_;
    std::string issuer_;
    std::string_view signing_input_; // header and payload as they were sent (RFC 7515 section 5.2)
    std::string signature_;
    JsonValue claims_;
};

// Takes a compact token apart. Throws Error(token_invalid) unless: at most max_token_bytes; three
// parts of canonical base64url, none empty; header and claims are strict JSON objects (json.hpp);
// the header has alg (one of the four) and kid (1 to 64 of [A-Za-z0-9._-]), and none of crit, b64,
// zip, jku, jwk, x5u, x5c; typ, when present, is JWT or at+jwt (any case, "application/" allowed);
// iss is a string of 1 to 255 bytes.
// No message holds a value of the token.
[[nodiscard]] UnverifiedToken parse_token(std::string_view compact);

// Verifies the signature with `key`, and only then looks at the claims: iss, aud (a string, or an
// array of strings, that has the audience), exp and iat (required) and nbf (integers from 0 to
// max_time), exp after iat and at most max_lifetime later, then the time (check_time), then the
// claims of the policy.
// Throws Error(token_invalid); Error(token_expired) for time; Error(22023) for a wrong policy
// (check_policy).
[[nodiscard]] Claims verify_token(const UnverifiedToken& token, const VerifyingKey& key,
                                  const TokenPolicy& policy);

// Checks the times of claims against the clock.
// Throws Error(token_expired) when exp is at or before now - leeway, or nbf or iat after
// now + leeway.
void check_time(const Claims& claims, std::int64_t now, std::int64_t leeway);

// Throws Error(22023) for a policy under which no token could be judged: no issuer, audience or
// name for the tenant or actor, max_lifetime of 0 or less or above max_time, leeway outside 0 to
// max_leeway.
void check_policy(const TokenPolicy& policy);

// Whether `kid` may name a key: 1 to 64 of [A-Za-z0-9._-].
[[nodiscard]] bool is_kid(std::string_view kid);

} // namespace tenancy
