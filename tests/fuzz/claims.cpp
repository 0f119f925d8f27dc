// Claims of a token whose signature is right: the input is a header, a newline, and claims, which
// the target signs. So mutations reach behind the signature.
#include "token.hpp"

#include "control_character.hpp"
#include "json.hpp"
#include "property.hpp"
#include "signed_token.hpp"
#include "sqlstate.hpp"

#include <algorithm>

namespace {

using tenancy::Claims;
using tenancy::JsonValue;
using tenancy::fuzz::require;

bool is_string(const JsonValue& value) {
    return value.kind == JsonValue::Kind::string;
}

void check_text(const JsonValue& json, const char* name, const std::string& claimed) {
    const JsonValue* member = json.find(name);
    require(member != nullptr && is_string(*member) && member->string == claimed,
            "a claim is what the token says");
    require(!claimed.empty() && claimed.size() <= tenancy::max_claim_bytes &&
                !tenancy::has_control_character(claimed),
            "a claim has 1 to 255 bytes and no control character");
}

void check_optional_text(const JsonValue& json, const char* name,
                         const std::optional<std::string>& claimed) {
    require((json.find(name) != nullptr) == claimed.has_value(), "a claim is there or it is not");
    if (claimed)
        check_text(json, name, *claimed);
}

void check_mode(const JsonValue& json, const Claims& claims) {
    const JsonValue* mode = json.find("mode");
    require((mode != nullptr) == claims.mode.has_value(), "a mode is there or it is not");
    if (claims.mode)
        require(mode->string ==
                    (*claims.mode == tenancy::TokenMode::read_only ? "read_only" : "read_write"),
                "the mode is what the token says");
}

void check_times(const JsonValue& json, const Claims& claims, const tenancy::TokenPolicy& policy) {
    require(json.find("exp")->integer == claims.exp && json.find("iat")->integer == claims.iat,
            "times are what the token says");
    require((json.find("nbf") != nullptr) == claims.nbf.has_value(), "nbf is there or it is not");
    require(claims.iat >= 0 && claims.exp <= tenancy::max_time, "times have limits");
    require(claims.exp > claims.iat && claims.exp - claims.iat <= policy.max_lifetime,
            "the lifetime is the policy's");
    require(claims.exp > policy.now - policy.leeway && claims.iat <= policy.now + policy.leeway &&
                claims.nbf.value_or(0) <= policy.now + policy.leeway,
            "the token is valid now");
}

void check_audience(const JsonValue& json, const tenancy::TokenPolicy& policy) {
    const JsonValue* audience = json.find("aud");
    const auto is_ours = [&](const JsonValue& one) { return one.string == policy.audience; };
    require(
        audience != nullptr &&
            (is_string(*audience)
                 ? is_ours(*audience)
                 : std::all_of(audience->elements.begin(), audience->elements.end(), is_string) &&
                       std::any_of(audience->elements.begin(), audience->elements.end(), is_ours)),
        "the token is for this audience");
}

void check_header(std::string_view text) {
    const JsonValue header = tenancy::read_json_object(text, "", "");
    require(header.find("alg")->string == "HS256", "the algorithm is the key's");
    for (const char* extension : {"crit", "b64", "zip", "jku", "jwk", "x5u", "x5c"})
        require(header.find(extension) == nullptr, "no extension is accepted");
}

void check_accepted(const Claims& claims, std::string_view text) {
    const JsonValue json = tenancy::read_json_object(text, "", "");
    const tenancy::TokenPolicy policy = tenancy::fuzz::policy();
    require(json.find("iss")->string == policy.issuer, "the issuer is the policy's");
    check_audience(json, policy);
    check_times(json, claims, policy);
    check_text(json, "tenant", claims.tenant);
    check_text(json, "sub", claims.actor);
    check_optional_text(json, "role", claims.role);
    check_optional_text(json, "jti", claims.jti);
    check_mode(json, claims);
}

Claims verify(std::string_view compact) {
    return tenancy::verify_token(tenancy::parse_token(compact), tenancy::fuzz::key(),
                                 tenancy::fuzz::policy());
}

// The last character but one is all signature: the last has bits that are zero in canonical text.
std::string tampered(std::string compact) {
    char& character = compact[compact.size() - 2];
    character = character == 'A' ? 'B' : 'A';
    return compact;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input = tenancy::fuzz::text_of(data, size);
    const std::size_t newline = std::min(input.find('\n'), size);
    const std::string_view header = input.substr(0, newline);
    const std::string_view claims = newline < size ? input.substr(newline + 1) : "";
    const std::string compact = tenancy::fuzz::sign(header, claims);
    Claims found;
    const auto refused = tenancy::fuzz::refusal([&] { found = verify(compact); });
    if (refused) {
        const bool late = refused->sqlstate() == std::string_view(tenancy::sqlstate::token_expired);
        tenancy::fuzz::require_silent(*refused, late ? tenancy::sqlstate::token_expired
                                                     : tenancy::sqlstate::token_invalid);
    } else {
        check_header(header);
        check_accepted(found, claims);
        require(tenancy::fuzz::refusal([&] { (void)verify(tampered(compact)); }).has_value(),
                "a token that was tampered with is refused");
    }
    return 0;
}
