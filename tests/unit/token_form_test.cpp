// The rules of a token's form: each has a test of its own with what it refuses. The signatures are
// right, so nothing but the rule can refuse.
#include "base64url.hpp"
#include "refusal.hpp"
#include "signing.hpp"
#include "sqlstate.hpp"

namespace tenancy {
namespace {

using test::Draft;

class TokenForm : public testing::Test {
protected:
    void expect_refused(std::string_view compact, std::string_view words) const {
        SCOPED_TRACE(std::string(compact.substr(0, 300)));
        test::expect_refused(sqlstate::token_invalid, words, [&] {
            static_cast<void>(test::verify(compact, key, test::policy()));
        });
    }
    void expect_accepted(std::string_view compact) const {
        SCOPED_TRACE(std::string(compact.substr(0, 300)));
        EXPECT_NO_THROW(static_cast<void>(test::verify(compact, key, test::policy())));
    }

    std::unique_ptr<test::Signer> signer = test::make_eddsa_signer();
    VerifyingKey key = signer->key();
    Draft draft{*signer};
};

TEST_F(TokenForm, DraftIsAccepted) {
    expect_accepted(draft.sign());
}

TEST_F(TokenForm, OnlyWhatFindsTheKeyIsReadable) {
    const std::string compact = draft.sign();
    const UnverifiedToken token = parse_token(compact);
    EXPECT_EQ(token.algorithm(), Algorithm::eddsa);
    EXPECT_EQ(token.kid(), "key-1");
    EXPECT_EQ(token.issuer(), "https://zq7secret.example.com");
}

TEST_F(TokenForm, CompactSerializationOnly) {
    const std::string token = draft.sign();
    const std::size_t first = token.find('.');
    const std::size_t second = token.rfind('.');
    const std::string json = R"({"payload":")" + token.substr(first + 1, second - first - 1) +
                             R"(","protected":")" + token.substr(0, first) + R"(","signature":")" +
                             token.substr(second + 1) + "\"}";
    expect_refused(json, "three parts");
    expect_refused("", "three parts");
    expect_refused(token.substr(0, second), "three parts");
    expect_refused(token + ".", "three parts");
    expect_refused(token + "." + token, "three parts");
    expect_refused("a.b.c.d.e", "three parts"); // a JWE
}

TEST_F(TokenForm, NoPartIsEmpty) {
    const std::string token = draft.sign();
    expect_refused(token.substr(0, token.rfind('.') + 1), "empty part");
    expect_refused(token.substr(token.find('.')), "empty part");
    expect_refused("e30..AA", "empty part");
    expect_refused("..", "empty part");
}

TEST_F(TokenForm, PartsAreCanonicalBase64url) {
    const std::string token = draft.sign(); // ends with 2 of 6 bits used: 64 = 21 * 3 + 1
    std::string trailing = token;
    trailing.back() =
        static_cast<char>(trailing.back() + 1); // A, Q, g or w: the next one is a digit
    expect_refused(trailing, "canonical base64url");
    expect_refused(token + "==", "canonical base64url");
    expect_refused(token + "\n", "canonical base64url");
    expect_refused(" " + token, "canonical base64url");
    expect_refused(token + std::string(1, '\0'), "canonical base64url");
    expect_refused("+/" + token, "canonical base64url");
    const std::string padded_header =
        encode_base64url(draft.header_json() + " ") + "=" + token.substr(token.find('.'));
    expect_refused(padded_header, "canonical base64url");
}

TEST_F(TokenForm, AtMost8192Bytes) {
    const auto token_of_size = [this](std::size_t size) {
        for (std::size_t header_pad = 0; header_pad < 4; ++header_pad) {
            draft.header["pad"] = "\"" + std::string(header_pad, 'a') + "\"";
            for (std::size_t pad = size * 3 / 4 - 600; pad < size * 3 / 4; ++pad) {
                draft.claims["pad"] = "\"" + std::string(pad, 'a') + "\"";
                std::string token = draft.sign();
                if (token.size() == size)
                    return token;
            }
        }
        return std::string();
    };
    expect_accepted(token_of_size(8192));
    expect_refused(token_of_size(8193), "too long");
    expect_refused(std::string(1000000, '.'), "too long");
}

TEST_F(TokenForm, HeaderAndClaimsAreJsonObjects) {
    expect_refused(test::sign_compact(*signer, "[]", draft.claims_json()), "header is not a JSON");
    expect_refused(test::sign_compact(*signer, draft.header_json(), "[]"), "claims is not a JSON");
    expect_refused(test::sign_compact(*signer, draft.header_json(), "zq7secret"), "not valid JSON");
    expect_refused(test::sign_compact(*signer, "zq7secret", draft.claims_json()), "not valid JSON");
    expect_refused(test::sign_compact(*signer, draft.header_json(), draft.claims_json() + "{}"),
                   "not valid JSON");
}

TEST_F(TokenForm, Utf8WithoutNul) {
    Draft bad = draft;
    bad.claims["name"] = "\"\xff\"";
    expect_refused(bad.sign(), "not valid JSON");
    bad.claims["name"] = R"("\u0000")";
    expect_refused(bad.sign(), "NUL");
    bad = draft;
    bad.claims["tenant"] = R"("zq7secret\u0000-of-another")";
    expect_refused(bad.sign(), "NUL");
    expect_refused(test::sign_compact(*signer, draft.header_json(),
                                      draft.claims_json() + std::string(1, '\0')),
                   "NUL");
    expect_refused(
        test::sign_compact(*signer, draft.header_json(), "\xEF\xBB\xBF" + draft.claims_json()),
        "byte order mark");
}

TEST_F(TokenForm, JsonDepthIsAtMost8) {
    draft.claims["deep"] = "[[[[[[[]]]]]]]"; // 7 below the claims
    expect_accepted(draft.sign());
    draft.claims["deep"] = "[[[[[[[[]]]]]]]]";
    expect_refused(draft.sign(), "nested too deeply");
    Draft header(*signer);
    header.header["deep"] = "[[[[[[[[]]]]]]]]";
    expect_refused(header.sign(), "nested too deeply");
}

TEST_F(TokenForm, NoDuplicateMembers) {
    for (const char* appendix : {R"(,"tenant":"zq7secret-other")", R"(,"exp":9007199254740991)",
                                 R"(,"\u0074enant":"zq7secret-other")", R"(,"x":{"a":1,"a":2})",
                                 R"(,"x":[{"a":1,"a":2}])"}) {
        Draft bad(*signer);
        bad.claims_appendix = appendix;
        expect_refused(bad.sign(), "claims has a duplicate member");
    }
    Draft bad(*signer);
    bad.header_appendix = R"(,"alg":"none")";
    expect_refused(bad.sign(), "header has a duplicate member");
}

class RefusedHeaderMember : public TokenForm, public testing::WithParamInterface<const char*> {};

INSTANTIATE_TEST_SUITE_P(TokenForm, RefusedHeaderMember,
                         testing::Values("crit", "b64", "zip", "jku", "jwk", "x5u", "x5c"),
                         [](const auto& info) { return std::string(info.param); });

TEST_P(RefusedHeaderMember, IsRefused) {
    for (const char* value : {R"(["zq7secret"])", "false", "null", R"("zq7secret")", "{}"}) {
        draft.header[GetParam()] = value;
        expect_refused(draft.sign(), std::string("refused member \"") + GetParam());
    }
}

TEST_F(TokenForm, OtherHeaderMembersAreIgnored) {
    draft.header["x5t"] = R"("AAAA")";
    draft.header["nonce"] = "1";
    expect_accepted(draft.sign());
}

TEST_F(TokenForm, AlgIsOneOfFour) {
    for (const char* alg : {R"("none")", R"("None")", R"("HS384")", R"("RS512")", R"("PS256")",
                            R"("eddsa")", R"("Ed25519")", R"("")", R"("EdDSA ")"}) {
        draft.header["alg"] = alg;
        expect_refused(draft.sign(), "algorithm of the token is not supported");
    }
    draft.header["alg"] = R"(["EdDSA"])";
    expect_refused(draft.sign(), "algorithm of the token is not a string");
    draft.header.erase("alg");
    expect_refused(draft.sign(), "algorithm of the token is missing");
}

TEST_F(TokenForm, TypeIsAJwt) {
    for (const char* type : {"JWT", "jwt", "at+jwt", "AT+JWT", "application/at+jwt"}) {
        draft.header["typ"] = std::string("\"") + type + "\"";
        expect_accepted(draft.sign());
    }
    for (const char* type : {"", "JOSE", "JOSE+JSON", "dpop+jwt", "logout+jwt", "secevent+jwt",
                             "text/jwt", "application/", "JWT "}) {
        draft.header["typ"] = std::string("\"") + type + "\"";
        expect_refused(draft.sign(), "type of the token is not accepted");
    }
    draft.header["typ"] = "1";
    expect_refused(draft.sign(), "type of the token is not a string");
    draft.header.erase("typ");
    expect_accepted(draft.sign());
}

TEST_F(TokenForm, KidHas1To64PlainCharacters) {
    for (const std::string& kid :
         {std::string("a"), std::string("A.b_c-9"), std::string(64, 'k')}) {
        draft.header["kid"] = "\"" + kid + "\"";
        expect_accepted(draft.sign());
    }
    for (const std::string& kid :
         {std::string(), std::string(65, 'k'), std::string("zq7secret/../x"), std::string("a b"),
          std::string("a'b"), std::string("a=b"), std::string("\xc3\xa4")}) {
        draft.header["kid"] = "\"" + kid + "\"";
        expect_refused(draft.sign(), "key id of the token is malformed");
    }
    draft.header["kid"] = "1";
    expect_refused(draft.sign(), "key id of the token is not a string");
    draft.header.erase("kid");
    expect_refused(draft.sign(), "key id of the token is missing");
}

TEST_F(TokenForm, IssuerIsRequiredAndAString) {
    draft.claims["iss"] = R"(["https://zq7secret.example.com"])";
    expect_refused(draft.sign(), "issuer of the token is not a string");
    draft.claims["iss"] = R"("")";
    expect_refused(draft.sign(), "issuer of the token is malformed");
    draft.claims["iss"] = "\"" + std::string(256, 'i') + "\"";
    expect_refused(draft.sign(), "issuer of the token is malformed");
    draft.claims.erase("iss");
    expect_refused(draft.sign(), "issuer of the token is missing");
}

} // namespace
} // namespace tenancy
