// A fixed secret and the policy of its key, with which targets sign what they are given.
#pragma once

#include "base64url.hpp"
#include "token.hpp"

#include <sodium.h>

#include <array>
#include <string>
#include <string_view>

namespace tenancy::fuzz {

inline constexpr std::string_view secret = "0123456789abcdef0123456789abcdef";

inline std::string hs256(std::string_view message) {
    std::array<unsigned char, crypto_auth_hmacsha256_BYTES> tag{};
    crypto_auth_hmacsha256(tag.data(), reinterpret_cast<const unsigned char*>(message.data()),
                           message.size(), reinterpret_cast<const unsigned char*>(secret.data()));
    return {tag.begin(), tag.end()};
}

// A compact token of these two texts.
inline std::string sign(std::string_view header, std::string_view claims) {
    const std::string signed_part = encode_base64url(header) + "." + encode_base64url(claims);
    return signed_part + "." + encode_base64url(hs256(signed_part));
}

inline const VerifyingKey& key() {
    static const VerifyingKey made =
        VerifyingKey::from_jwk(R"({"kty":"oct","k":")" + encode_base64url(secret) + "\"}");
    return made;
}

inline TokenPolicy policy() {
    TokenPolicy made;
    made.issuer = "https://login.example";
    made.audience = "chat";
    made.max_lifetime = 3600;
    made.role_claim = "role";
    made.now = 1800000000;
    return made;
}

} // namespace tenancy::fuzz
