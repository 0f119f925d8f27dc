// Keys that verify tokens, read from JWKs (RFC 7517, RFC 7518 section 6, RFC 8037 section 2).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace tenancy {

// The four algorithms of JWS (RFC 7518 section 3, RFC 8037 section 3.1) that tokens may use.
enum class Algorithm : std::uint8_t { eddsa, hs256, rs256, es256 };

// The name in `alg`: "EdDSA", "HS256", "RS256", "ES256". Static storage.
[[nodiscard]] const char* algorithm_name(Algorithm algorithm);

// The algorithm of that name, compared exactly; nothing for any other, "none" included.
[[nodiscard]] std::optional<Algorithm> find_algorithm(std::string_view name);

// One key, bound to one algorithm. Moves, does not copy. Secret bytes are wiped when it goes.
// It may be kept for as long as the backend lives (on the heap: it has a destructor) and used any
// number of times; it holds no PostgreSQL resource.
class VerifyingKey {
public:
    // Reads a JWK. The key type fixes the algorithm:
    //   OKP, crv Ed25519: EdDSA    x: 32 octets, a point of the main subgroup
    //   oct:              HS256    k: at least 32 octets
    //   RSA:              RS256    n: 2048 to 8192 bits, odd; e: odd, 65537 or more, up to 64 bits
    //   EC, crv P-256:    ES256    x, y: 32 octets each, a point on the curve
    // `alg`, when present, must be that algorithm; `use` must be "sig"; `key_ops` must contain
    // "verify". Octets are canonical base64url; n and e without leading zero octets. A private
    // member (d, p, q, dp, dq, qi, oth) is refused: only public halves belong in a database.
    // Other members (kid, x5c, x5t, ...) are ignored.
    // Throws Error(22023) with what is wrong; no message holds key material.
    [[nodiscard]] static VerifyingKey from_jwk(std::string_view jwk);

    VerifyingKey(VerifyingKey&&) noexcept;
    VerifyingKey& operator=(VerifyingKey&&) noexcept;
    VerifyingKey(const VerifyingKey&) = delete;
    VerifyingKey& operator=(const VerifyingKey&) = delete;
    ~VerifyingKey();

    [[nodiscard]] Algorithm algorithm() const;

    // A shared secret: whoever can verify can also sign.
    [[nodiscard]] bool is_symmetric() const { return algorithm() == Algorithm::hs256; }

    // Whether `signature` (octets as in JWS: raw r || s for ES256) is this key's over `message`.
    // False for any wrong signature, of whatever length. Constant time for HS256. Throws
    // Error(out_of_memory or internal_error) only when a library fails. Leaves OpenSSL's error
    // queue empty.
    [[nodiscard]] bool verifies(std::string_view message, std::string_view signature) const;

    struct State; // of jwk.cpp

private:
    explicit VerifyingKey(std::unique_ptr<State> state);

    std::unique_ptr<State> state_;
};

} // namespace tenancy
