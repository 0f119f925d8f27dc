// Takes compact tokens apart: everything that can be refused before there is a key.
#include "token.hpp"

#include "base64url.hpp"
#include "error.hpp"
#include "sqlstate.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace tenancy {

namespace {

[[noreturn]] void refuse(std::string message, std::string hint = {}) {
    throw Error(sqlstate::token_invalid, std::move(message), std::move(hint));
}

struct Parts {
    std::string_view header;
    std::string_view claims;
    std::string_view signature;
    std::string_view signing_input;
};

// RFC 7515 section 7.1: header '.' payload '.' signature, and no other serialization.
Parts split(std::string_view compact) {
    if (compact.size() > max_token_bytes)
        refuse("token is too long", "A token has at most 8192 bytes.");
    const std::size_t first = compact.find('.');
    const std::size_t second =
        first == std::string_view::npos ? first : compact.find('.', first + 1);
    if (second == std::string_view::npos || compact.find('.', second + 1) != std::string_view::npos)
        refuse("token does not have three parts", "Pass a JWS in its compact form.");
    const Parts parts{compact.substr(0, first), compact.substr(first + 1, second - first - 1),
                      compact.substr(second + 1), compact.substr(0, second)};
    if (parts.header.empty() || parts.claims.empty() || parts.signature.empty())
        refuse("token has an empty part", "Unsigned tokens are not accepted.");
    return parts;
}

std::string decode(std::string_view part) {
    std::optional<std::string> bytes = decode_base64url(part);
    if (!bytes)
        refuse("token is not canonical base64url",
               "The parts of a token are in URL-safe base64 without padding or white space.");
    return *std::move(bytes);
}

// The string that `object` has under `name`; `what` is the subject of the message.
const std::string& string_member(const JsonValue& object, std::string_view name, const char* what) {
    const JsonValue* member = object.find(name);
    if (member == nullptr)
        refuse(std::string(what) + " is missing");
    if (member->kind != JsonValue::Kind::string)
        refuse(std::string(what) + " is not a string");
    return member->string;
}

// Extensions that change what is signed (crit, b64, zip), and keys a token brings along for its own
// verification (jku, jwk, x5u, x5c).
void refuse_extensions(const JsonValue& header) {
    for (const char* name : {"crit", "b64", "zip", "jku", "jwk", "x5u", "x5c"}) {
        if (header.find(name) != nullptr)
            refuse(std::string("token header has the refused member \"") + name + "\"");
    }
}

std::string to_lower(std::string_view text) {
    std::string lower(text);
    std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return lower;
}

// A media type (RFC 7515 section 4.1.9): any case, and "application/" may be left out. at+jwt is
// an OAuth 2.0 access token (RFC 9068). Other types are tokens meant for something else.
void check_type(const JsonValue& header) {
    constexpr std::string_view tree = "application/";
    if (header.find("typ") == nullptr)
        return;
    const std::string type = to_lower(string_member(header, "typ", "type of the token"));
    const std::string_view name =
        std::string_view(type).substr(type.starts_with(tree) ? tree.size() : 0);
    if (name != "jwt" && name != "at+jwt")
        refuse("type of the token is not accepted", "Its typ has to be JWT, at+jwt or absent.");
}

Algorithm read_algorithm(const JsonValue& header) {
    const std::optional<Algorithm> algorithm =
        find_algorithm(string_member(header, "alg", "algorithm of the token"));
    if (!algorithm)
        refuse("algorithm of the token is not supported", "Use EdDSA, ES256, RS256 or HS256.");
    return *algorithm;
}

std::string read_kid(const JsonValue& header) {
    const std::string& kid = string_member(header, "kid", "key id of the token");
    if (!is_kid(kid))
        refuse("key id of the token is malformed",
               "It has 1 to 64 letters, digits, dots, underscores and hyphens.");
    return kid;
}

std::string read_issuer(const JsonValue& claims) {
    const std::string& issuer = string_member(claims, "iss", "issuer of the token");
    if (issuer.empty() || issuer.size() > max_claim_bytes)
        refuse("issuer of the token is malformed", "It has 1 to 255 bytes.");
    return issuer;
}

} // namespace

bool is_kid(std::string_view kid) {
    constexpr std::string_view allowed =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
    return !kid.empty() && kid.size() <= max_kid_bytes &&
           kid.find_first_not_of(allowed) == std::string_view::npos;
}

UnverifiedToken parse_token(std::string_view compact) {
    const Parts parts = split(compact);
    const JsonValue header =
        read_json_object(decode(parts.header), sqlstate::token_invalid, "token header");
    refuse_extensions(header);
    check_type(header);
    UnverifiedToken token;
    token.algorithm_ = read_algorithm(header);
    token.kid_ = read_kid(header);
    token.signing_input_ = parts.signing_input;
    token.signature_ = decode(parts.signature);
    token.claims_ = read_json_object(decode(parts.claims), sqlstate::token_invalid, "token claims");
    token.issuer_ = read_issuer(token.claims_);
    return token;
}

} // namespace tenancy
