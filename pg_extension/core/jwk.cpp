// Reads a JWK into a key that verifies, and verifies with it.
#include "jwk.hpp"

#include "base64url.hpp"
#include "error.hpp"
#include "json.hpp"
#include "openssl_key.hpp"
#include "sqlstate.hpp"

#include <sodium.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <utility>

namespace tenancy {

struct VerifyingKey::State {
    Algorithm algorithm = Algorithm::eddsa;
    std::string octets; // EdDSA: the public key; HS256: the secret
    EvpKey evp;         // RS256, ES256

    State() = default;
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    ~State() { sodium_memzero(octets.data(), octets.size()); }
};

namespace {

constexpr std::size_t min_secret_bytes = 32;
constexpr std::size_t min_modulus_bits = 2048;
constexpr std::size_t max_modulus_bits = 8192;
constexpr std::size_t max_exponent_bytes = 8;
constexpr std::size_t min_exponent = 65537;
constexpr std::size_t coordinate_bytes = 32;

constexpr std::array<std::pair<Algorithm, const char*>, 4> algorithm_names = {{
    {Algorithm::eddsa, "EdDSA"},
    {Algorithm::hs256, "HS256"},
    {Algorithm::rs256, "RS256"},
    {Algorithm::es256, "ES256"},
}};

[[noreturn]] void refuse(std::string message, std::string hint = {}) {
    throw Error(sqlstate::invalid_parameter, std::move(message), std::move(hint));
}

const unsigned char* octets(std::string_view bytes) {
    return reinterpret_cast<const unsigned char*>(bytes.data());
}

const std::string& string_member(const JsonValue& jwk, std::string_view name) {
    const JsonValue* member = jwk.find(name);
    if (member == nullptr)
        refuse("key has no member \"" + std::string(name) + "\"");
    if (member->kind != JsonValue::Kind::string)
        refuse("member \"" + std::string(name) + "\" of the key is not a string");
    return member->string;
}

// The octets of a member in base64url.
std::string octets_member(const JsonValue& jwk, std::string_view name) {
    std::optional<std::string> bytes = decode_base64url(string_member(jwk, name));
    if (!bytes || bytes->empty())
        refuse("member \"" + std::string(name) + "\" of the key is not canonical base64url",
               "Encode it with the URL-safe alphabet and without padding.");
    return *std::move(bytes);
}

// A Base64urlUInt (RFC 7518 section 2): big-endian, no leading zero octet.
std::string integer_member(const JsonValue& jwk, std::string_view name) {
    std::string bytes = octets_member(jwk, name);
    if (bytes.front() == '\0')
        refuse("member \"" + std::string(name) + "\" of the key has leading zero octets",
               "Encode the integer in as few octets as it takes (RFC 7518, section 2).");
    return bytes;
}

bool is_even(std::string_view integer) {
    return (static_cast<unsigned char>(integer.back()) & 1U) == 0;
}

std::size_t bit_length(std::string_view integer) {
    return (integer.size() - 1) * 8 + std::bit_width(static_cast<unsigned char>(integer.front()));
}

void refuse_private_members(const JsonValue& jwk) {
    for (const char* name : {"d", "p", "q", "dp", "dq", "qi", "oth"}) {
        if (jwk.find(name) != nullptr)
            refuse("key contains its private half",
                   "Pass the public key only, and consider this private key disclosed: it may be "
                   "in logs already.");
    }
}

bool has_string(const JsonValue& array, std::string_view wanted) {
    return std::any_of(
        array.elements.begin(), array.elements.end(), [wanted](const JsonValue& element) {
            return element.kind == JsonValue::Kind::string && element.string == wanted;
        });
}

// `alg`, `use` and `key_ops` (RFC 7517 sections 4.2 to 4.4) may be absent, but not say otherwise.
void check_purpose(const JsonValue& jwk, Algorithm algorithm) {
    if (jwk.find("alg") != nullptr && string_member(jwk, "alg") != algorithm_name(algorithm))
        refuse("algorithm of the key does not fit its type",
               std::string("A key of this type verifies ") + algorithm_name(algorithm) + ".");
    if (jwk.find("use") != nullptr && string_member(jwk, "use") != "sig")
        refuse("key is not for signatures", "Its member \"use\" has to be \"sig\" or absent.");
    const JsonValue* operations = jwk.find("key_ops");
    if (operations != nullptr && !has_string(*operations, "verify"))
        refuse("key is not for verifying",
               "Its member \"key_ops\" has to contain \"verify\" or be absent.");
}

void read_ed25519(const JsonValue& jwk, VerifyingKey::State& state) {
    refuse_private_members(jwk);
    if (string_member(jwk, "crv") != "Ed25519")
        refuse("curve of the key is not supported", "Use Ed25519 or P-256.");
    state.octets = octets_member(jwk, "x");
    if (state.octets.size() != crypto_sign_PUBLICKEYBYTES ||
        crypto_core_ed25519_is_valid_point(octets(state.octets)) != 1)
        refuse("key is not an Ed25519 public key", "Its member \"x\" has to be a point.");
}

void read_secret(const JsonValue& jwk, VerifyingKey::State& state) {
    state.octets = octets_member(jwk, "k");
    if (state.octets.size() < min_secret_bytes)
        refuse("symmetric key is too short", "HS256 takes 32 random octets or more.");
}

void check_rsa_numbers(std::string_view n, std::string_view e) {
    if (bit_length(n) < min_modulus_bits || bit_length(n) > max_modulus_bits)
        refuse("modulus of the RSA key has the wrong size", "Use 2048 to 8192 bits.");
    if (is_even(n))
        refuse("modulus of the RSA key is even");
    std::size_t exponent = 0;
    for (const char byte : e.substr(0, max_exponent_bytes))
        exponent = (exponent << 8) | static_cast<unsigned char>(byte);
    if (e.size() > max_exponent_bytes || exponent < min_exponent || is_even(e))
        refuse("exponent of the RSA key is not acceptable",
               "It has to be odd, at least 65537, and at most 64 bits long.");
}

void read_rsa(const JsonValue& jwk, VerifyingKey::State& state) {
    refuse_private_members(jwk);
    const std::string n = integer_member(jwk, "n");
    const std::string e = integer_member(jwk, "e");
    check_rsa_numbers(n, e);
    state.evp = make_rsa_key(n, e);
    if (state.evp == nullptr)
        refuse("key is not an RSA public key");
}

void read_p256(const JsonValue& jwk, VerifyingKey::State& state) {
    refuse_private_members(jwk);
    if (string_member(jwk, "crv") != "P-256")
        refuse("curve of the key is not supported", "Use Ed25519 or P-256.");
    const std::string x = octets_member(jwk, "x");
    const std::string y = octets_member(jwk, "y");
    if (x.size() != coordinate_bytes || y.size() != coordinate_bytes)
        refuse("coordinates of the key have the wrong size",
               "Those of P-256 have 32 octets, leading zeros included.");
    state.evp = make_p256_key(x, y);
    if (state.evp == nullptr)
        refuse("key is not a point on the curve P-256");
}

struct KeyType {
    const char* name;
    Algorithm algorithm;
    void (*read)(const JsonValue& jwk, VerifyingKey::State& state);
};

constexpr std::array<KeyType, 4> key_types = {{
    {"OKP", Algorithm::eddsa, read_ed25519},
    {"oct", Algorithm::hs256, read_secret},
    {"RSA", Algorithm::rs256, read_rsa},
    {"EC", Algorithm::es256, read_p256},
}};

const KeyType& key_type(const JsonValue& jwk) {
    if (jwk.find("keys") != nullptr)
        refuse("key is a set of keys", "Add each member of \"keys\" by itself.");
    const std::string& name = string_member(jwk, "kty");
    const auto* type = std::find_if(key_types.begin(), key_types.end(),
                                    [&name](const KeyType& t) { return name == t.name; });
    if (type == key_types.end())
        refuse("type of the key is not supported", "Use OKP, EC, RSA or oct.");
    return *type;
}

// Wipes the copies of a secret that the JSON reader made.
class Wiper {
public:
    explicit Wiper(JsonValue& jwk) : jwk_(jwk) {}
    ~Wiper() {
        for (JsonMember& member : jwk_.members)
            sodium_memzero(member.value.string.data(), member.value.string.size());
    }
    Wiper(const Wiper&) = delete;
    Wiper& operator=(const Wiper&) = delete;

private:
    JsonValue& jwk_;
};

bool verify_eddsa(std::string_view key, std::string_view message, std::string_view signature) {
    return signature.size() == crypto_sign_BYTES &&
           crypto_sign_verify_detached(octets(signature), octets(message), message.size(),
                                       octets(key)) == 0;
}

bool verify_hs256(std::string_view key, std::string_view message, std::string_view signature) {
    std::array<unsigned char, crypto_auth_hmacsha256_BYTES> expected{};
    crypto_auth_hmacsha256_state state;
    crypto_auth_hmacsha256_init(&state, octets(key), key.size());
    crypto_auth_hmacsha256_update(&state, octets(message), message.size());
    crypto_auth_hmacsha256_final(&state, expected.data());
    const bool verified = signature.size() == expected.size() &&
                          sodium_memcmp(expected.data(), signature.data(), expected.size()) == 0;
    sodium_memzero(&state, sizeof state);
    sodium_memzero(expected.data(), expected.size());
    return verified;
}

} // namespace

const char* algorithm_name(Algorithm algorithm) {
    const auto* entry =
        std::find_if(algorithm_names.begin(), algorithm_names.end(),
                     [algorithm](const auto& candidate) { return candidate.first == algorithm; });
    return entry->second;
}

std::optional<Algorithm> find_algorithm(std::string_view name) {
    const auto* entry =
        std::find_if(algorithm_names.begin(), algorithm_names.end(),
                     [name](const auto& candidate) { return candidate.second == name; });
    if (entry == algorithm_names.end())
        return std::nullopt;
    return entry->first;
}

VerifyingKey VerifyingKey::from_jwk(std::string_view jwk) {
    if (sodium_init() < 0)
        throw Error(sqlstate::internal_error, "libsodium could not be initialized");
    JsonValue json = read_json_object(jwk, sqlstate::invalid_parameter, "key");
    const Wiper wiper(json);
    const KeyType& type = key_type(json);
    auto state = std::make_unique<State>();
    state->algorithm = type.algorithm;
    check_purpose(json, type.algorithm);
    type.read(json, *state);
    return VerifyingKey(std::move(state));
}

VerifyingKey::VerifyingKey(std::unique_ptr<State> state) : state_(std::move(state)) {}
VerifyingKey::VerifyingKey(VerifyingKey&&) noexcept = default;
VerifyingKey& VerifyingKey::operator=(VerifyingKey&&) noexcept = default;
VerifyingKey::~VerifyingKey() = default;

Algorithm VerifyingKey::algorithm() const {
    return state_->algorithm;
}

bool VerifyingKey::verifies(std::string_view message, std::string_view signature) const {
    switch (state_->algorithm) {
    case Algorithm::eddsa:
        return verify_eddsa(state_->octets, message, signature);
    case Algorithm::hs256:
        return verify_hs256(state_->octets, message, signature);
    case Algorithm::rs256:
        return verify_rs256(state_->evp, message, signature);
    case Algorithm::es256:
        return verify_es256(state_->evp, message, signature);
    }
    return false;
}

} // namespace tenancy
