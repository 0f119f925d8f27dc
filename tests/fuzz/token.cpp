// Compact tokens: every part is canonical, the form tells no more than the header and iss say, and
// only the key's own signature opens the claims.
#include "token.hpp"

#include "json.hpp"
#include "property.hpp"
#include "signed_token.hpp"
#include "sqlstate.hpp"

#include <array>

namespace {

using tenancy::UnverifiedToken;
using tenancy::fuzz::require;

struct Parts {
    std::string header;
    std::string claims;
    std::string signature;
    std::string_view signed_part;
};

// The decoded parts, each of which has to print back.
Parts take_apart(std::string_view input) {
    std::array<std::string, 3> parts;
    std::size_t begin = 0;
    for (std::string& part : parts) {
        const std::string_view text = input.substr(begin, input.find('.', begin) - begin);
        const auto bytes = tenancy::decode_base64url(text);
        if (!bytes)
            break; // and then the token has too few parts
        require(tenancy::encode_base64url(*bytes) == text, "each part is canonical");
        require(!text.empty(), "no part is empty");
        part = *bytes;
        begin += text.size() + 1;
    }
    require(begin == input.size() + 1, "a token has three parts");
    return {parts[0], parts[1], parts[2], input.substr(0, input.rfind('.'))};
}

void check_form(const UnverifiedToken& token, const Parts& parts) {
    const tenancy::JsonValue header = tenancy::read_json_object(parts.header, "", "");
    const tenancy::JsonValue claims = tenancy::read_json_object(parts.claims, "", "");
    require(header.find("alg")->string == tenancy::algorithm_name(token.algorithm()),
            "alg is the header's");
    require(header.find("kid")->string == token.kid() && tenancy::is_kid(token.kid()),
            "kid is the header's");
    require(claims.find("iss")->string == token.issuer(), "iss is the claims'");
    for (const char* extension : {"crit", "b64", "zip", "jku", "jwk", "x5u", "x5c"})
        require(header.find(extension) == nullptr, "no extension is accepted");
}

void check_signature(const UnverifiedToken& token, const Parts& parts) {
    const auto refused = tenancy::fuzz::refusal(
        [&] { (void)tenancy::verify_token(token, tenancy::fuzz::key(), tenancy::fuzz::policy()); });
    const bool ours = token.algorithm() == tenancy::Algorithm::hs256 &&
                      parts.signature == tenancy::fuzz::hs256(parts.signed_part);
    require(ours || (refused &&
                     refused->sqlstate() == std::string_view(tenancy::sqlstate::token_invalid)),
            "only the key's own signature is accepted");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input = tenancy::fuzz::text_of(data, size);
    const auto refused = tenancy::fuzz::refusal([&] {
        const UnverifiedToken token = tenancy::parse_token(input);
        require(input.size() <= tenancy::max_token_bytes, "length has a limit");
        const Parts parts = take_apart(input);
        check_form(token, parts);
        check_signature(token, parts);
    });
    if (refused)
        tenancy::fuzz::require_silent(*refused, tenancy::sqlstate::token_invalid);
    return 0;
}
