// JWKs: a key has one algorithm, its public half alone is accepted, and it verifies no made-up
// signature.
#include "jwk.hpp"

#include "json.hpp"
#include "property.hpp"
#include "sqlstate.hpp"

#include <openssl/err.h>

#include <algorithm>
#include <array>
#include <utility>

namespace {

using tenancy::Algorithm;
using tenancy::VerifyingKey;
using tenancy::fuzz::require;

constexpr std::array<std::pair<std::string_view, Algorithm>, 4> types = {
    {{"OKP", Algorithm::eddsa},
     {"oct", Algorithm::hs256},
     {"RSA", Algorithm::rs256},
     {"EC", Algorithm::es256}}};

bool fits(std::string_view type, Algorithm algorithm) {
    return std::find(types.begin(), types.end(), std::pair{type, algorithm}) != types.end();
}

void check_members(const VerifyingKey& key, std::string_view input) {
    const tenancy::JsonValue jwk = tenancy::read_json_object(input, "", "");
    const tenancy::JsonValue* type = jwk.find("kty");
    require(type != nullptr && fits(type->string, key.algorithm()), "the type fixes the algorithm");
    require(key.is_symmetric() == (type->string == "oct"), "oct alone is a shared secret");
    require(key.is_symmetric() || jwk.find("d") == nullptr, "no private half is accepted");
    const tenancy::JsonValue* alg = jwk.find("alg");
    require(alg == nullptr || alg->string == tenancy::algorithm_name(key.algorithm()),
            "alg says the same as the type");
}

void check_accepted(const VerifyingKey& key, std::string_view input) {
    check_members(key, input);
    for (const char filler : {'\0', '\1', '\xff'})
        for (const std::size_t octets : {0, 32, 64, 256})
            require(!key.verifies("message", std::string(octets, filler)),
                    "a made-up signature is wrong");
    const VerifyingKey again = VerifyingKey::from_jwk(std::string(" ") + std::string(input) + "\n");
    require(again.algorithm() == key.algorithm(), "white space round the key changes nothing");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input = tenancy::fuzz::text_of(data, size);
    const auto refused = tenancy::fuzz::refusal([&] {
        const VerifyingKey key = VerifyingKey::from_jwk(input);
        check_accepted(key, input);
    });
    if (refused)
        tenancy::fuzz::require_silent(*refused, tenancy::sqlstate::invalid_parameter);
    require(ERR_peek_error() == 0, "OpenSSL's error queue is left empty");
    return 0;
}
