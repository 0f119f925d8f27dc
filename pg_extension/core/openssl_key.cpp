// Public keys and signatures through OpenSSL's EVP interface.
#include "openssl_key.hpp"

#include "error.hpp"
#include "sqlstate.hpp"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include <cstddef>
#include <string>

namespace tenancy {

namespace {

struct Deleter {
    void operator()(BIGNUM* p) const noexcept { BN_free(p); }
    void operator()(ECDSA_SIG* p) const noexcept { ECDSA_SIG_free(p); }
    void operator()(EVP_MD_CTX* p) const noexcept { EVP_MD_CTX_free(p); }
    void operator()(EVP_PKEY_CTX* p) const noexcept { EVP_PKEY_CTX_free(p); }
    void operator()(OSSL_PARAM* p) const noexcept { OSSL_PARAM_free(p); }
    void operator()(OSSL_PARAM_BLD* p) const noexcept { OSSL_PARAM_BLD_free(p); }
    void operator()(unsigned char* p) const noexcept { OPENSSL_free(p); }
};
template <typename T>
using Handle = std::unique_ptr<T, Deleter>;

// Drops what earlier code left in the error queue, and what this code leaves.
class CleanErrorQueue {
public:
    CleanErrorQueue() { ERR_clear_error(); }
    ~CleanErrorQueue() { ERR_clear_error(); }
    CleanErrorQueue(const CleanErrorQueue&) = delete;
    CleanErrorQueue& operator=(const CleanErrorQueue&) = delete;
};

template <typename T>
Handle<T> own(T* pointer) {
    if (pointer == nullptr)
        throw Error(sqlstate::out_of_memory, "out of memory in libcrypto");
    return Handle<T>(pointer);
}

const unsigned char* octets(std::string_view bytes) {
    return reinterpret_cast<const unsigned char*>(bytes.data());
}

Handle<BIGNUM> big_number(std::string_view bytes) {
    return own(BN_bin2bn(octets(bytes), static_cast<int>(bytes.size()), nullptr));
}

EvpKey make_key(const char* type, OSSL_PARAM_BLD* builder) {
    const Handle<OSSL_PARAM> parameters = own(OSSL_PARAM_BLD_to_param(builder));
    const Handle<EVP_PKEY_CTX> context = own(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
    EVP_PKEY* key = nullptr;
    if (EVP_PKEY_fromdata_init(context.get()) != 1 ||
        EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1)
        return nullptr;
    return EvpKey(key);
}

bool is_public_key_sound(EVP_PKEY* key) {
    const Handle<EVP_PKEY_CTX> context = own(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
    return EVP_PKEY_public_check_quick(context.get()) == 1;
}

bool verify_sha256(const EvpKey& key, std::string_view message, const unsigned char* signature,
                   std::size_t signature_size) {
    const Handle<EVP_MD_CTX> context = own(EVP_MD_CTX_new());
    if (EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()) != 1)
        return false;
    return EVP_DigestVerify(context.get(), signature, signature_size, octets(message),
                            message.size()) == 1;
}

} // namespace

void EvpKeyDeleter::operator()(evp_pkey_st* key) const noexcept {
    EVP_PKEY_free(key);
}

EvpKey make_rsa_key(std::string_view n, std::string_view e) {
    const CleanErrorQueue clean;
    const Handle<BIGNUM> modulus = big_number(n);
    const Handle<BIGNUM> exponent = big_number(e);
    const Handle<OSSL_PARAM_BLD> builder = own(OSSL_PARAM_BLD_new());
    if (OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get()) != 1 ||
        OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get()) != 1)
        return nullptr;
    return make_key("RSA", builder.get());
}

EvpKey make_p256_key(std::string_view x, std::string_view y) {
    const CleanErrorQueue clean;
    const std::string point = std::string("\x04").append(x).append(y); // SEC 1, uncompressed
    const Handle<OSSL_PARAM_BLD> builder = own(OSSL_PARAM_BLD_new());
    if (OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1",
                                        0) != 1 ||
        OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                         point.size()) != 1)
        return nullptr;
    EvpKey key = make_key("EC", builder.get());
    if (key != nullptr && !is_public_key_sound(key.get()))
        return nullptr;
    return key;
}

bool verify_rs256(const EvpKey& key, std::string_view message, std::string_view signature) {
    const CleanErrorQueue clean;
    return verify_sha256(key, message, octets(signature), signature.size());
}

bool verify_es256(const EvpKey& key, std::string_view message, std::string_view signature) {
    constexpr std::size_t half = 32;
    if (signature.size() != 2 * half)
        return false;
    const CleanErrorQueue clean;
    const Handle<ECDSA_SIG> pair = own(ECDSA_SIG_new());
    Handle<BIGNUM> r = big_number(signature.substr(0, half));
    Handle<BIGNUM> s = big_number(signature.substr(half));
    if (ECDSA_SIG_set0(pair.get(), r.release(), s.release()) != 1)
        return false; // only for null numbers, which own() excludes
    unsigned char* encoded = nullptr;
    const int size = i2d_ECDSA_SIG(pair.get(), &encoded);
    const Handle<unsigned char> der(encoded);
    return size > 0 && verify_sha256(key, message, der.get(), static_cast<std::size_t>(size));
}

} // namespace tenancy
