// RSA and P-256 public keys of OpenSSL 3: what jwk.cpp needs, and no more. Each function leaves
// OpenSSL's error queue empty, because PostgreSQL's own TLS code reads that queue.
#pragma once

#include <memory>
#include <string_view>

struct evp_pkey_st; // EVP_PKEY; OpenSSL's headers stay out of ours

namespace tenancy {

struct EvpKeyDeleter {
    void operator()(evp_pkey_st* key) const noexcept;
};
using EvpKey = std::unique_ptr<evp_pkey_st, EvpKeyDeleter>;

// The RSA public key of modulus n and exponent e (big-endian octets, RFC 7518 section 6.3.1);
// null when OpenSSL refuses them. Throws Error(out_of_memory).
[[nodiscard]] EvpKey make_rsa_key(std::string_view n, std::string_view e);

// The P-256 public key of coordinates x and y (32 octets each, RFC 7518 section 6.2.1); null when
// they are no point on the curve. Throws Error(out_of_memory).
[[nodiscard]] EvpKey make_p256_key(std::string_view x, std::string_view y);

// Whether `signature` is one of `key` over `message`. Any failure is "no", except running out of
// memory for the context: Error(out_of_memory).
// RS256: RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518 section 3.3).
[[nodiscard]] bool verify_rs256(const EvpKey& key, std::string_view message,
                                std::string_view signature);
// ES256: ECDSA with SHA-256, the signature being r || s, 32 octets each (RFC 7518 section 3.4).
[[nodiscard]] bool verify_es256(const EvpKey& key, std::string_view message,
                                std::string_view signature);

} // namespace tenancy
