#include "signing.hpp"

#include "base64url.hpp"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <sodium.h>

#include <array>
#include <stdexcept>
#include <vector>

namespace tenancy::test {

namespace {

struct Deleter {
    void operator()(EVP_PKEY* p) const { EVP_PKEY_free(p); }
    void operator()(EVP_MD_CTX* p) const { EVP_MD_CTX_free(p); }
    void operator()(BIGNUM* p) const { BN_free(p); }
    void operator()(ECDSA_SIG* p) const { ECDSA_SIG_free(p); }
};
template <typename T>
using Handle = std::unique_ptr<T, Deleter>;

void require(bool done, const char* what) {
    if (!done)
        throw std::runtime_error(what);
}

const unsigned char* octets(std::string_view bytes) {
    return reinterpret_cast<const unsigned char*>(bytes.data());
}

unsigned char* octets(std::string& bytes) {
    return reinterpret_cast<unsigned char*>(bytes.data());
}

std::string random_bytes(std::size_t size) {
    std::string bytes(size, '\0');
    randombytes_buf(bytes.data(), bytes.size());
    return bytes;
}

class EddsaSigner final : public Signer {
public:
    EddsaSigner() { crypto_sign_keypair(octets(public_), octets(secret_)); }
    std::string sign(std::string_view message) const override {
        std::string signature(crypto_sign_BYTES, '\0');
        crypto_sign_detached(octets(signature), nullptr, octets(message), message.size(),
                             octets(std::string_view(secret_)));
        return signature;
    }
    std::string jwk() const override {
        return R"({"kty":"OKP","crv":"Ed25519","x":")" + encode_base64url(public_) + "\"}";
    }
    const char* algorithm() const override { return "EdDSA"; }

private:
    std::string public_ = std::string(crypto_sign_PUBLICKEYBYTES, '\0');
    std::string secret_ = std::string(crypto_sign_SECRETKEYBYTES, '\0');
};

class Hs256Signer final : public Signer {
public:
    explicit Hs256Signer(std::size_t secret_bytes) : secret_(random_bytes(secret_bytes)) {}
    std::string sign(std::string_view message) const override {
        std::string tag(crypto_auth_hmacsha256_BYTES, '\0');
        crypto_auth_hmacsha256_state state;
        crypto_auth_hmacsha256_init(&state, octets(std::string_view(secret_)), secret_.size());
        crypto_auth_hmacsha256_update(&state, octets(message), message.size());
        crypto_auth_hmacsha256_final(&state, octets(tag));
        return tag;
    }
    std::string jwk() const override {
        return R"({"kty":"oct","k":")" + encode_base64url(secret_) + "\"}";
    }
    const char* algorithm() const override { return "HS256"; }

private:
    std::string secret_;
};

std::string evp_sign(EVP_PKEY* key, const EVP_MD* digest, int rsa_padding,
                     std::string_view message) {
    const Handle<EVP_MD_CTX> context(EVP_MD_CTX_new());
    EVP_PKEY_CTX* options = nullptr;
    require(EVP_DigestSignInit(context.get(), &options, digest, nullptr, key) == 1, "sign init");
    if (rsa_padding != 0)
        require(EVP_PKEY_CTX_set_rsa_padding(options, rsa_padding) == 1, "padding");
    std::size_t size = 0;
    require(EVP_DigestSign(context.get(), nullptr, &size, octets(message), message.size()) == 1,
            "sign size");
    std::string signature(size, '\0');
    require(EVP_DigestSign(context.get(), octets(signature), &size, octets(message),
                           message.size()) == 1,
            "sign");
    signature.resize(size);
    return signature;
}

std::string number_of(EVP_PKEY* key, const char* name, std::size_t min_bytes) {
    BIGNUM* raw = nullptr;
    require(EVP_PKEY_get_bn_param(key, name, &raw) == 1, name);
    const Handle<BIGNUM> number(raw);
    const auto size = std::max<std::size_t>(min_bytes, static_cast<std::size_t>(BN_num_bytes(raw)));
    std::string bytes(size, '\0');
    require(BN_bn2binpad(raw, octets(bytes), static_cast<int>(size)) >= 0, "number");
    return bytes;
}

EVP_PKEY* shared_rsa_key() {
    static const Handle<EVP_PKEY> key(EVP_RSA_gen(2048)); // slow: one for all tests
    return key.get();
}

class RsaSigner final : public Signer {
public:
    RsaSigner(const char* algorithm, const EVP_MD* digest, int padding)
        : algorithm_(algorithm), digest_(digest), padding_(padding) {}
    std::string sign(std::string_view message) const override {
        return evp_sign(shared_rsa_key(), digest_, padding_, message);
    }
    std::string jwk() const override {
        EVP_PKEY* key = shared_rsa_key();
        return R"({"kty":"RSA","n":")" +
               encode_base64url(number_of(key, OSSL_PKEY_PARAM_RSA_N, 0)) + R"(","e":")" +
               encode_base64url(number_of(key, OSSL_PKEY_PARAM_RSA_E, 0)) + "\"}";
    }
    const char* algorithm() const override { return algorithm_; }

private:
    const char* algorithm_;
    const EVP_MD* digest_;
    int padding_;
};

class Es256Signer final : public Signer {
public:
    Es256Signer() : key_(EVP_EC_gen("P-256")) {}
    std::string sign(std::string_view message) const override {
        const std::string der = evp_sign(key_.get(), EVP_sha256(), 0, message);
        const unsigned char* cursor = octets(std::string_view(der));
        const Handle<ECDSA_SIG> pair(
            d2i_ECDSA_SIG(nullptr, &cursor, static_cast<long>(der.size())));
        std::string raw(64, '\0');
        BN_bn2binpad(ECDSA_SIG_get0_r(pair.get()), octets(raw), 32);
        BN_bn2binpad(ECDSA_SIG_get0_s(pair.get()), octets(raw) + 32, 32);
        return raw;
    }
    std::string jwk() const override {
        return R"({"kty":"EC","crv":"P-256","x":")" +
               encode_base64url(number_of(key_.get(), OSSL_PKEY_PARAM_EC_PUB_X, 32)) +
               R"(","y":")" +
               encode_base64url(number_of(key_.get(), OSSL_PKEY_PARAM_EC_PUB_Y, 32)) + "\"}";
    }
    const char* algorithm() const override { return "ES256"; }

private:
    Handle<EVP_PKEY> key_;
};

std::string print_object(const std::map<std::string, std::string>& members,
                         const std::string& appendix) {
    std::string text;
    for (const auto& [name, value] : members)
        text.append(text.empty() ? "{\"" : ",\"").append(name).append("\":").append(value);
    return text + appendix + "}";
}

} // namespace

std::unique_ptr<Signer> make_eddsa_signer() {
    return std::make_unique<EddsaSigner>();
}

std::unique_ptr<Signer> make_hs256_signer(std::size_t secret_bytes) {
    return std::make_unique<Hs256Signer>(secret_bytes);
}

std::unique_ptr<Signer> make_rs256_signer() {
    return std::make_unique<RsaSigner>("RS256", EVP_sha256(), RSA_PKCS1_PADDING);
}

std::unique_ptr<Signer> make_rs384_signer() {
    return std::make_unique<RsaSigner>("RS384", EVP_sha384(), RSA_PKCS1_PADDING);
}

std::unique_ptr<Signer> make_ps256_signer() {
    return std::make_unique<RsaSigner>("PS256", EVP_sha256(), RSA_PKCS1_PSS_PADDING);
}

std::unique_ptr<Signer> make_es256_signer() {
    return std::make_unique<Es256Signer>();
}

TokenPolicy policy() {
    TokenPolicy policy;
    policy.issuer = "https://zq7secret.example.com";
    policy.audience = "zq7secret-database";
    policy.max_lifetime = 3600;
    policy.role_claim = "role";
    policy.now = now;
    return policy;
}

Draft::Draft(const Signer& with) : signer(&with) {
    header = {{"alg", std::string("\"") + signer->algorithm() + "\""},
              {"kid", R"("key-1")"},
              {"typ", R"("JWT")"}};
    claims = {{"iss", R"("https://zq7secret.example.com")"},
              {"aud", R"("zq7secret-database")"},
              {"sub", R"("zq7secret-actor")"},
              {"tenant", R"("zq7secret-tenant")"},
              {"iat", std::to_string(now - 10)},
              {"exp", std::to_string(now + 50)}};
}

std::string Draft::header_json() const {
    return print_object(header, header_appendix);
}

std::string Draft::claims_json() const {
    return print_object(claims, claims_appendix);
}

std::string Draft::sign() const {
    return sign_compact(*signer, header_json(), claims_json());
}

std::string sign_compact(const Signer& signer, std::string_view header, std::string_view claims) {
    const std::string input = encode_base64url(header) + "." + encode_base64url(claims);
    return input + "." + encode_base64url(signer.sign(input));
}

Claims verify(std::string_view compact, const VerifyingKey& key, const TokenPolicy& policy) {
    return verify_token(parse_token(compact), key, policy);
}

} // namespace tenancy::test
