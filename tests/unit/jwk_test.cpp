#include "jwk.hpp"

#include "base64url.hpp"
#include "refusal.hpp"
#include "signing.hpp"
#include "sqlstate.hpp"

#include <openssl/err.h>

namespace tenancy {
namespace {

using test::expect_refused;

// The JWK of `signer` with more members before its closing brace.
std::string extend(const test::Signer& signer, std::string_view members) {
    std::string jwk = signer.jwk();
    jwk.pop_back();
    return jwk + "," + std::string(members) + "}";
}

void expect_key_refused(std::string_view jwk, std::string_view words) {
    SCOPED_TRACE(std::string(jwk.substr(0, 200)));
    expect_refused(sqlstate::invalid_parameter, words,
                   [&] { static_cast<void>(VerifyingKey::from_jwk(jwk)); });
}

std::vector<std::unique_ptr<test::Signer>> all_signers() {
    std::vector<std::unique_ptr<test::Signer>> signers;
    signers.push_back(test::make_eddsa_signer());
    signers.push_back(test::make_hs256_signer());
    signers.push_back(test::make_rs256_signer());
    signers.push_back(test::make_es256_signer());
    return signers;
}

std::string rsa_jwk(std::string_view n, std::string_view e) {
    return R"({"kty":"RSA","n":")" + encode_base64url(n) + R"(","e":")" + encode_base64url(e) +
           "\"}";
}

// An odd number of that many bits, the highest and the lowest set.
std::string odd_number(std::size_t bits) {
    std::string number((bits + 7) / 8, '\x55');
    number.front() = static_cast<char>(1U << ((bits - 1) % 8));
    number.back() = static_cast<char>(number.back() | 1);
    return number;
}

std::string ed25519_jwk(std::string_view x) {
    return R"({"kty":"OKP","crv":"Ed25519","x":")" + encode_base64url(x) + "\"}";
}

TEST(Jwk, TypeFixesTheAlgorithm) {
    for (const auto& signer : all_signers())
        EXPECT_STREQ(algorithm_name(signer->key().algorithm()), signer->algorithm());
}

TEST(Jwk, AlgorithmsByName) {
    EXPECT_EQ(find_algorithm("EdDSA"), Algorithm::eddsa);
    EXPECT_EQ(find_algorithm("HS256"), Algorithm::hs256);
    EXPECT_EQ(find_algorithm("RS256"), Algorithm::rs256);
    EXPECT_EQ(find_algorithm("ES256"), Algorithm::es256);
    for (const char* name : {"", "none", "NONE", "hs256", "HS384", "RS512", "PS256", "ES384",
                             "ES256K", "eddsa", "HS256 "})
        EXPECT_FALSE(find_algorithm(name)) << name;
}

TEST(Jwk, AlgHasToMatch) {
    for (const auto& signer : all_signers()) {
        const std::string alg = std::string(R"("alg":")") + signer->algorithm() + "\"";
        EXPECT_NO_THROW(static_cast<void>(VerifyingKey::from_jwk(extend(*signer, alg))));
        expect_key_refused(extend(*signer, R"("alg":"none")"), "does not fit its type");
        expect_key_refused(extend(*signer, R"("alg":"PS256")"), "does not fit its type");
        expect_key_refused(extend(*signer, R"("alg":7)"), "not a string");
    }
}

TEST(Jwk, UseHasToBeSig) {
    for (const auto& signer : all_signers()) {
        EXPECT_NO_THROW(
            static_cast<void>(VerifyingKey::from_jwk(extend(*signer, R"("use":"sig")"))));
        expect_key_refused(extend(*signer, R"("use":"enc")"), "not for signatures");
    }
}

TEST(Jwk, KeyOpsHaveToContainVerify) {
    for (const auto& signer : all_signers()) {
        EXPECT_NO_THROW(static_cast<void>(
            VerifyingKey::from_jwk(extend(*signer, R"("key_ops":["sign","verify"])"))));
        for (const char* operations :
             {R"(["sign"])", "[]", R"("verify")", R"([["verify"]])", "null"})
            expect_key_refused(extend(*signer, std::string(R"("key_ops":)") + operations),
                               "not for verifying");
    }
}

TEST(Jwk, PrivateMembersOfAsymmetricKeysAreRefused) {
    for (const auto& signer : all_signers()) {
        if (signer->key().is_symmetric())
            continue;
        for (const char* member : {"d", "p", "q", "dp", "dq", "qi", "oth"})
            expect_key_refused(extend(*signer, std::string("\"") + member + R"(":"enE3c2VjcmV0")"),
                               "private half");
    }
}

TEST(Jwk, OtherMembersAreIgnored) {
    const auto signer = test::make_rs256_signer();
    EXPECT_NO_THROW(static_cast<void>(VerifyingKey::from_jwk(
        extend(*signer, R"("kid":"any @ kid","x5c":["MIIB"],"x5t":"AA","ext":true)"))));
}

TEST(Jwk, JsonIsReadStrictly) {
    const auto signer = test::make_eddsa_signer();
    expect_key_refused(extend(*signer, R"("crv":"Ed25519")"), "duplicate member");
    expect_key_refused(signer->jwk() + std::string(1, '\0'), "NUL");
    expect_key_refused("[]", "not a JSON object");
    expect_key_refused("zq7secret", "not valid JSON");
}

TEST(Jwk, TypesAndCurvesOutsideTheFourAreRefused) {
    expect_key_refused("{}", "no member \"kty\"");
    expect_key_refused(R"({"kty":1})", "not a string");
    expect_key_refused(R"({"kty":"rsa"})", "type of the key is not supported");
    expect_key_refused(R"({"kty":"AKP","alg":"ML-DSA-44"})", "type of the key is not supported");
    expect_key_refused(R"({"kty":"OKP","crv":"X25519","x":"AA"})", "curve of the key");
    expect_key_refused(R"({"kty":"OKP","crv":"Ed448","x":"AA"})", "curve of the key");
    expect_key_refused(R"({"kty":"EC","crv":"secp256k1","x":"AA","y":"AA"})", "curve of the key");
    expect_key_refused(R"({"keys":[]})", "set of keys");
}

TEST(Jwk, OctetsAreCanonicalBase64url) {
    expect_key_refused(R"({"kty":"OKP","crv":"Ed25519","x":"AA=="})", "canonical base64url");
    expect_key_refused(R"({"kty":"OKP","crv":"Ed25519","x":"AB"})", "canonical base64url");
    expect_key_refused(R"({"kty":"oct","k":""})", "canonical base64url");
    expect_key_refused(R"({"kty":"RSA","n":"+/","e":"AQAB"})", "canonical base64url");
}

TEST(Jwk, Hs256SecretHas32BytesOrMore) {
    EXPECT_NO_THROW(static_cast<void>(test::make_hs256_signer(32)->key()));
    EXPECT_NO_THROW(static_cast<void>(test::make_hs256_signer(200)->key()));
    expect_key_refused(test::make_hs256_signer(31)->jwk(), "symmetric key is too short");
    expect_key_refused(test::make_hs256_signer(1)->jwk(), "symmetric key is too short");
}

TEST(Jwk, RsaModulusHas2048To8192Bits) {
    const std::string e("\x01\x00\x01", 3);
    for (const std::size_t bits : {2048, 2049, 3072, 4096, 8192})
        EXPECT_NO_THROW(static_cast<void>(VerifyingKey::from_jwk(rsa_jwk(odd_number(bits), e))))
            << bits;
    for (const std::size_t bits : {512, 1024, 2047, 8193, 16384 / 2 + 8})
        expect_key_refused(rsa_jwk(odd_number(bits), e),
                           "modulus of the RSA key has the wrong size");
}

TEST(Jwk, RsaModulusIsOdd) {
    std::string n = odd_number(2048);
    n.back() = '\x54';
    expect_key_refused(rsa_jwk(n, std::string("\x01\x00\x01", 3)),
                       "modulus of the RSA key is even");
}

TEST(Jwk, RsaExponentIsOddAndAtLeast65537) {
    const std::string n = odd_number(2048);
    for (const std::string_view e :
         {std::string_view("\x01\x00\x01", 3), std::string_view("\x01\x00\x03", 3),
          std::string_view("\xff\xff\xff\xff\xff\xff\xff\xff", 8)})
        EXPECT_NO_THROW(static_cast<void>(VerifyingKey::from_jwk(rsa_jwk(n, e))));
    for (const std::string_view e :
         {std::string_view("\x01", 1), std::string_view("\x03", 1), std::string_view("\xff\xff", 2),
          std::string_view("\x01\x00\x00", 3), std::string_view("\x01\x00\x02", 3),
          std::string_view("\x01\x00\x00\x00\x00\x00\x00\x00\x01", 9)})
        expect_key_refused(rsa_jwk(n, e), "exponent of the RSA key");
}

TEST(Jwk, RsaIntegersHaveNoLeadingZeros) {
    const std::string n = odd_number(2048);
    expect_key_refused(rsa_jwk(std::string(1, '\0') + n, std::string("\x01\x00\x01", 3)),
                       "leading zero");
    expect_key_refused(rsa_jwk(n, std::string("\x00\x01\x00\x01", 4)), "leading zero");
}

TEST(Jwk, Ed25519KeyIsAPointOfTheMainSubgroup) {
    expect_key_refused(ed25519_jwk(std::string(31, 'x')), "not an Ed25519 public key");
    expect_key_refused(ed25519_jwk(std::string(33, 'x')), "not an Ed25519 public key");
    std::string identity(32, '\0');
    expect_key_refused(ed25519_jwk(identity), "not an Ed25519 public key"); // order 4
    identity.front() = '\x01';
    expect_key_refused(ed25519_jwk(identity), "not an Ed25519 public key"); // the neutral element
    expect_key_refused(ed25519_jwk(std::string(32, '\xff')), "not an Ed25519 public key");
}

TEST(Jwk, Es256KeyIsAPointOnTheCurve) {
    const std::string half(32, '\x11');
    const auto jwk = [](std::string_view x, std::string_view y) {
        return R"({"kty":"EC","crv":"P-256","x":")" + encode_base64url(x) + R"(","y":")" +
               encode_base64url(y) + "\"}";
    };
    expect_key_refused(jwk(half, half), "not a point on the curve");
    expect_key_refused(jwk(std::string(32, '\0'), std::string(32, '\0')),
                       "not a point on the curve");
    expect_key_refused(jwk(std::string(32, '\xff'), half), "not a point on the curve");
    expect_key_refused(jwk(half.substr(1), half), "coordinates of the key have the wrong size");
    expect_key_refused(jwk(half, half + "x"), "coordinates of the key have the wrong size");
}

TEST(Jwk, RefusalsLeaveTheErrorQueueOfOpensslEmpty) {
    ERR_raise(ERR_LIB_USER, ERR_R_INTERNAL_ERROR); // left by someone else
    const std::string half(32, '\x11');
    expect_key_refused(R"({"kty":"EC","crv":"P-256","x":")" + encode_base64url(half) +
                           R"(","y":")" + encode_base64url(half) + "\"}",
                       "not a point on the curve");
    EXPECT_EQ(ERR_peek_error(), 0UL);
    const VerifyingKey key = test::make_rs256_signer()->key();
    EXPECT_FALSE(key.verifies("message", std::string(256, '\xff')));
    EXPECT_EQ(ERR_peek_error(), 0UL);
}

TEST(Jwk, KeysMove) {
    const auto signer = test::make_es256_signer();
    VerifyingKey key = test::make_hs256_signer()->key();
    VerifyingKey other = signer->key();
    key = std::move(other);
    EXPECT_TRUE(key.verifies("message", signer->sign("message")));
}

} // namespace
} // namespace tenancy
