// Signers and a draft of a token, so that each test can sign what it wants to see refused.
#pragma once

#include "token.hpp"

#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace tenancy::test {

// A key pair or secret, made anew in each run.
class Signer {
public:
    virtual ~Signer() = default;
    [[nodiscard]] virtual std::string sign(std::string_view message) const = 0;
    [[nodiscard]] virtual std::string jwk() const = 0; // the public half, or the secret
    [[nodiscard]] virtual const char* algorithm() const = 0;

    [[nodiscard]] VerifyingKey key() const { return VerifyingKey::from_jwk(jwk()); }
};

std::unique_ptr<Signer> make_eddsa_signer();
std::unique_ptr<Signer> make_hs256_signer(std::size_t secret_bytes = 32);
std::unique_ptr<Signer> make_rs256_signer(); // 2048 bits; the key is made once
std::unique_ptr<Signer> make_rs384_signer(); // RSA with SHA-384, of the same key
std::unique_ptr<Signer> make_ps256_signer(); // RSASSA-PSS, of the same key
std::unique_ptr<Signer> make_es256_signer();

inline constexpr std::int64_t now = 1800000000;

// The policy that an unchanged Draft meets.
[[nodiscard]] TokenPolicy policy();

// Header and claims by member name, with raw JSON as values; what is appended goes verbatim before
// the closing brace. Starts as a valid token of `with`.
struct Draft {
    explicit Draft(const Signer& with);

    const Signer* signer; // outlives the draft
    std::map<std::string, std::string> header;
    std::map<std::string, std::string> claims;
    std::string header_appendix;
    std::string claims_appendix;

    [[nodiscard]] std::string header_json() const;
    [[nodiscard]] std::string claims_json() const;
    [[nodiscard]] std::string sign() const;
};

// A compact JWS of exactly these texts.
std::string sign_compact(const Signer& signer, std::string_view header, std::string_view claims);

// parse_token and verify_token in one.
Claims verify(std::string_view compact, const VerifyingKey& key, const TokenPolicy& policy);

} // namespace tenancy::test
