// Published examples. Each proves itself: the signature verifies with the key beside it.
#include "base64url.hpp"
#include "jwk.hpp"
#include "refusal.hpp"
#include "sqlstate.hpp"
#include "token.hpp"

namespace tenancy {
namespace {

using test::expect_refused;

struct Vector {
    const char* source; // also the name of the test
    Algorithm algorithm;
    const char* jwk;
    const char* compact;
};

constexpr Vector rfc8037_a4 = {
    "Rfc8037AppendixA4", Algorithm::eddsa,
    R"({"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})",
    "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc."
    "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"};

constexpr Vector rfc7515_a1 = {
    "Rfc7515AppendixA1", Algorithm::hs256,
    R"({"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75)"
    R"(aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"})",
    "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
    ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"};

constexpr Vector rfc7515_a2 = {
    "Rfc7515AppendixA2", Algorithm::rs256,
    R"({"kty":"RSA","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddx)"
    R"(HmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMs)"
    R"(D1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSH)"
    R"(SXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdV)"
    R"(MTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8)"
    R"(NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ","e":"AQAB"})",
    "eyJhbGciOiJSUzI1NiJ9."
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
    ".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5"
    "jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1"
    "L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYE"
    "UipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"};

constexpr Vector rfc7515_a3 = {
    "Rfc7515AppendixA3", Algorithm::es256,
    R"({"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",)"
    R"("y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})",
    "eyJhbGciOiJFUzI1NiJ9."
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
    ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"};

#define RFC7520_RSA_KEY                                                                            \
    R"({"kty":"RSA","kid":"bilbo.baggins@hobbiton.example","use":"sig",)"                          \
    R"("n":"n4EPtAOCc9AlkeQHPzHStgAbgs7bTZLwUBZdR8_KuKPEHLd4rHVTeT-O-XV2jRojdNhxJWTDvNd7nqQ0VEi)"  \
    R"(ZQHz_AJmSCpMaJMRBSFKrKb2wqVwGU_NsYOYL-QtiWN2lbzcEe6XC0dApr5ydQLrHqkHHig3RBordaZ6Aj-oBHq)"   \
    R"(FEHYpPe7Tpe-OfVfHd1E6cS6M1FZcD1NNLYD5lFHpPI9bTwJlsde3uhGqC0ZCuEHg8lhzwOHrtIQbS0FVbb9k3-tV)" \
    R"(TU4fg_3L_vniUFAKwuCLqKnS2BYwdq_mzSnbLY7h_qixoR7jig3__kRhuaxwUkRz5iaiQkqgc5gHdrNP5zw",)"     \
    R"("e":"AQAB"})"
#define RFC7520_PAYLOAD                                                                            \
    "SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250" \
    "byB0aGUgcm9hZCwgYW5kIGlmIHlvdSBkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hl" \
    "cmUgeW91IG1pZ2h0IGJlIHN3ZXB0IG9mZiB0by4"

constexpr Vector rfc7520_41 = {
    "Rfc7520Section41", Algorithm::rs256, RFC7520_RSA_KEY,
    "eyJhbGciOiJSUzI1NiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9." RFC7520_PAYLOAD
    ".MRjdkly7_-oTPTS3AXP41iQIGKa80A0ZmTuV5MEaHoxnW2e5CZ5NlKtainoFmKZopdHM1O2U4mwzJdQx996ivp83xugl"
    "II7PNDi84wnB-BDkoBwA78185hX-Es4JIwmDLJK3lfWRa-XtL0RnltuYv746iYTh_qHRD68BNt1uSNCrUCTJDt5aAE6x8"
    "wW1Kt9eRo4QPocSadnHXFxnt8Is9UzpERV0ePPQdLuW3IS_de3xyIrDaLGdjluPxUAhb6L2aXic1U12podGU0KLUQSE_o"
    "I-ZnmKJ3F4uOZDnd6QZWJushZ41Axf_fcIe8u9ipH84ogoree7vjbU5y18kDquDg"};

constexpr Vector rfc7520_44 = {
    "Rfc7520Section44", Algorithm::hs256,
    R"({"kty":"oct","kid":"018c0ae5-4d9b-471b-bfd6-eef314bc7037","use":"sig","alg":"HS256",)"
    R"("k":"hJtXIZ2uSN5kbQfbtTNWbpdmhkV8FJG-Onbc6mxCcYg"})",
    "eyJhbGciOiJIUzI1NiIsImtpZCI6IjAxOGMwYWU1LTRkOWItNDcxYi1iZmQ2LWVlZjMxNGJjNzAzNyJ9"
    "." RFC7520_PAYLOAD ".s0h6KThzkfBBBkLspW1h84VsJZFTsPPqMDA7g1Md7p0"};

void PrintTo(const Vector& vector, std::ostream* out) {
    *out << vector.source;
}

class PublishedExample : public testing::TestWithParam<Vector> {};

INSTANTIATE_TEST_SUITE_P(Jws, PublishedExample,
                         testing::Values(rfc8037_a4, rfc7515_a1, rfc7515_a2, rfc7515_a3, rfc7520_41,
                                         rfc7520_44),
                         [](const auto& info) { return std::string(info.param.source); });

struct SignedText {
    std::string_view message;
    std::string signature;
};

SignedText split(std::string_view compact) {
    const std::size_t dot = compact.rfind('.');
    return {compact.substr(0, dot), decode_base64url(compact.substr(dot + 1)).value_or("")};
}

TEST_P(PublishedExample, Verifies) {
    const SignedText text = split(GetParam().compact);
    const VerifyingKey key = VerifyingKey::from_jwk(GetParam().jwk);
    EXPECT_EQ(key.algorithm(), GetParam().algorithm);
    EXPECT_TRUE(key.verifies(text.message, text.signature));
}

TEST_P(PublishedExample, DoesNotVerifyWithAnyBitOfTheSignatureFlipped) {
    const SignedText text = split(GetParam().compact);
    const VerifyingKey key = VerifyingKey::from_jwk(GetParam().jwk);
    for (std::size_t bit = 0; bit < 8 * text.signature.size(); ++bit) {
        std::string wrong = text.signature;
        wrong[bit / 8] = static_cast<char>(wrong[bit / 8] ^ (1 << (bit % 8)));
        EXPECT_FALSE(key.verifies(text.message, wrong)) << "bit " << bit;
    }
}

TEST(Jwk, OnlySecretsAreSymmetric) {
    EXPECT_TRUE(VerifyingKey::from_jwk(rfc7515_a1.jwk).is_symmetric());
    EXPECT_FALSE(VerifyingKey::from_jwk(rfc7515_a2.jwk).is_symmetric());
}

TEST(PublishedExampleOfAnotherAlgorithm, Ps384OfRfc7520Section42IsRefused) {
    expect_refused(sqlstate::token_invalid, "algorithm of the token is not supported", [] {
        static_cast<void>(parse_token("eyJhbGciOiJQUzM4NCIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24u"
                                      "ZXhhbXBsZSJ9." RFC7520_PAYLOAD ".cu22"));
    });
}

TEST(PublishedExampleOfAnotherAlgorithm, Es512OfRfc7520Section43IsRefused) {
    expect_refused(sqlstate::token_invalid, "algorithm of the token is not supported", [] {
        static_cast<void>(parse_token("eyJhbGciOiJFUzUxMiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24u"
                                      "ZXhhbXBsZSJ9." RFC7520_PAYLOAD ".AE_R"));
    });
    expect_refused(sqlstate::invalid_parameter, "curve of the key is not supported", [] {
        static_cast<void>(VerifyingKey::from_jwk(
            R"({"kty":"EC","crv":"P-521",)"
            R"("x":"AHKZLLOsCOzz5cY97ewNUajB957y-C-U88c3v13nmGZx6sYl_oJXu9A5RkTKqjqvjyekWF-7ytDyR)"
            R"(XYgCF5cj0Kt","y":"AdymlHvOiLxXkEhayXQnNCvDX4h9htZaCJN34kfmC6pV5OhQHiraVySsUdaQkAgDPr)"
            R"(wQrJmbnX9cwlGfP-HqHZR1"})"));
    });
}

TEST(PublishedExampleOfAnotherAlgorithm, UnsecuredOfRfc7515AppendixA5IsRefused) {
    expect_refused(sqlstate::token_invalid, "token has an empty part", [] {
        static_cast<void>(parse_token(
            "eyJhbGciOiJub25lIn0.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt"
            "cGxlLmNvbS9pc19yb290Ijp0cnVlfQ."));
    });
}

} // namespace
} // namespace tenancy
