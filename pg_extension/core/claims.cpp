// Judges a token: the signature first, then what it claims against the policy of its key.
#include "token.hpp"

#include "control_character.hpp"
#include "error.hpp"
#include "sqlstate.hpp"

#include <algorithm>
#include <utility>

namespace tenancy {

namespace {

[[noreturn]] void refuse(std::string message, std::string hint = {}) {
    throw Error(sqlstate::token_invalid, std::move(message), std::move(hint));
}

[[noreturn]] void refuse_time(const char* message, const char* hint) {
    throw Error(sqlstate::token_expired, message, hint);
}

[[noreturn]] void refuse_policy(const char* message, const char* hint) {
    throw Error(sqlstate::invalid_parameter, message, hint);
}

void check_issuer(const UnverifiedToken& token, const TokenPolicy& policy) {
    if (token.issuer() != policy.issuer)
        refuse("issuer of the token is not that of its key");
}

bool is_string(const JsonValue& value) {
    return value.kind == JsonValue::Kind::string;
}

// RFC 7519 section 4.1.3: one string, or an array of strings.
void check_audience(const JsonValue& claims, const TokenPolicy& policy) {
    const JsonValue* audience = claims.find("aud");
    if (audience == nullptr)
        refuse("audience of the token is missing");
    if (is_string(*audience)) {
        if (audience->string != policy.audience)
            refuse("token is meant for another audience");
        return;
    }
    const std::vector<JsonValue>& listed = audience->elements;
    if (audience->kind != JsonValue::Kind::array ||
        !std::all_of(listed.begin(), listed.end(), is_string))
        refuse("audience of the token is neither a string nor an array of strings");
    const auto is_ours = [&policy](const JsonValue& one) { return one.string == policy.audience; };
    if (std::none_of(listed.begin(), listed.end(), is_ours))
        refuse("token is meant for another audience");
}

std::optional<std::int64_t> find_time(const JsonValue& claims, const char* name) {
    const JsonValue* member = claims.find(name);
    if (member == nullptr)
        return std::nullopt;
    if (member->kind != JsonValue::Kind::integer || member->integer < 0 ||
        member->integer > max_time)
        refuse(std::string("time in claim \"") + name + "\" of the token is malformed",
               "Times are integers of seconds since 1970, without fraction or exponent.");
    return member->integer;
}

std::int64_t require_time(const JsonValue& claims, const char* name) {
    const std::optional<std::int64_t> time = find_time(claims, name);
    if (!time)
        refuse(std::string("claim \"") + name + "\" of the token is missing");
    return *time;
}

// `what` says in messages which claim it is; its value and configured name stay out of them.
std::optional<std::string> find_text(const JsonValue& claims, std::string_view name,
                                     const char* what) {
    const JsonValue* member = name.empty() ? nullptr : claims.find(name);
    if (member == nullptr)
        return std::nullopt;
    if (!is_string(*member))
        refuse(std::string(what) + " of the token is not a string");
    const std::string& text = member->string;
    if (text.empty() || text.size() > max_claim_bytes || has_control_character(text))
        refuse(std::string(what) + " of the token is malformed",
               "It has 1 to 255 bytes and no control characters.");
    return text;
}

std::string require_text(const JsonValue& claims, std::string_view name, const char* what) {
    std::optional<std::string> text = find_text(claims, name, what);
    if (!text)
        refuse(std::string(what) + " of the token is missing",
               "The registration of the signing key says which claim it is.");
    return *std::move(text);
}

std::optional<TokenMode> find_mode(const JsonValue& claims, std::string_view name) {
    const std::optional<std::string> mode = find_text(claims, name, "mode");
    if (!mode)
        return std::nullopt;
    if (*mode == "read_write")
        return TokenMode::read_write;
    if (*mode == "read_only")
        return TokenMode::read_only;
    refuse("mode of the token is unknown", "It has to be read_write or read_only.");
}

void check_lifetime(const Claims& claims, const TokenPolicy& policy) {
    if (claims.exp <= claims.iat)
        refuse("token expires before it is issued");
    if (claims.exp - claims.iat > policy.max_lifetime)
        refuse("lifetime of the token is too long",
               "Mint tokens that live no longer than their key allows.");
}

Claims read_times(const JsonValue& claims, const TokenPolicy& policy) {
    Claims times;
    times.exp = require_time(claims, "exp");
    times.iat = require_time(claims, "iat");
    times.nbf = find_time(claims, "nbf");
    check_lifetime(times, policy);
    check_time(times, policy.now, policy.leeway);
    return times;
}

} // namespace

void check_time(const Claims& claims, std::int64_t now, std::int64_t leeway) {
    if (claims.exp <= now - leeway)
        refuse_time("token has expired", "Get a new token and try again.");
    if (claims.iat > now + leeway || claims.nbf.value_or(0) > now + leeway)
        refuse_time("token is not valid yet",
                    "Compare the clocks of the issuer and of the database server.");
}

void check_policy(const TokenPolicy& policy) {
    if (policy.issuer.empty() || policy.audience.empty())
        refuse_policy("signing key has no issuer or no audience",
                      "Both are required, and tokens have to carry them.");
    if (policy.tenant_claim.empty() || policy.actor_claim.empty())
        refuse_policy("signing key names no claim for the tenant or the actor",
                      "Name the claims that hold them.");
    if (policy.max_lifetime <= 0 || policy.max_lifetime > max_time)
        refuse_policy("lifetime of tokens is out of range", "It is a number of seconds above 0.");
    if (policy.leeway < 0 || policy.leeway > max_leeway)
        refuse_policy("leeway for clocks is out of range", "It is 0 to 60 seconds.");
}

Claims verify_token(const UnverifiedToken& token, const VerifyingKey& key,
                    const TokenPolicy& policy) {
    check_policy(policy);
    if (token.algorithm() != key.algorithm())
        refuse("algorithm of the token is not that of its key");
    if (!key.verifies(token.signing_input_, token.signature_))
        refuse("signature of the token is wrong");
    const JsonValue& json = token.claims_;
    check_issuer(token, policy);
    check_audience(json, policy);
    Claims claims = read_times(json, policy);
    claims.tenant = require_text(json, policy.tenant_claim, "tenant");
    claims.actor = require_text(json, policy.actor_claim, "actor");
    claims.role = find_text(json, policy.role_claim, "role");
    claims.mode = find_mode(json, policy.mode_claim);
    claims.jti = find_text(json, "jti", "id");
    return claims;
}

} // namespace tenancy
