// The rules of what a token claims, against the policy of its key.
#include "refusal.hpp"
#include "signing.hpp"
#include "sqlstate.hpp"

#include <utility>

namespace tenancy {
namespace {

using test::Draft;
using test::now;

class TokenClaims : public testing::Test {
protected:
    Claims verify() const { return test::verify(draft.sign(), key, policy); }
    void expect_refused(const char* sqlstate, std::string_view words) const {
        SCOPED_TRACE(draft.claims_json());
        test::expect_refused(sqlstate, words, [this] { static_cast<void>(verify()); });
    }
    void expect_invalid(std::string_view words) const {
        expect_refused(sqlstate::token_invalid, words);
    }
    void expect_accepted() const {
        SCOPED_TRACE(draft.claims_json());
        EXPECT_NO_THROW(static_cast<void>(verify()));
    }
    void set_times(std::int64_t iat, std::int64_t exp) {
        draft.claims["iat"] = std::to_string(iat);
        draft.claims["exp"] = std::to_string(exp);
    }

    std::unique_ptr<test::Signer> signer = test::make_eddsa_signer();
    VerifyingKey key = signer->key();
    Draft draft{*signer};
    TokenPolicy policy = test::policy();
};

TEST_F(TokenClaims, AllOfThemAreRead) {
    draft.claims["nbf"] = std::to_string(now - 5);
    draft.claims["mode"] = R"("read_only")";
    draft.claims["role"] = R"("app")";
    draft.claims["jti"] = R"("j-1")";
    const Claims claims = verify();
    EXPECT_EQ(claims.tenant, "zq7secret-tenant");
    EXPECT_EQ(claims.actor, "zq7secret-actor");
    EXPECT_EQ(claims.role, "app");
    EXPECT_EQ(claims.mode, TokenMode::read_only);
    EXPECT_EQ(claims.iat, now - 10);
    EXPECT_EQ(claims.nbf, now - 5);
    EXPECT_EQ(claims.exp, now + 50);
    EXPECT_EQ(claims.jti, "j-1");
}

TEST_F(TokenClaims, OptionalOnesMayBeAbsent) {
    const Claims claims = verify();
    EXPECT_FALSE(claims.role || claims.mode || claims.nbf || claims.jti);
}

TEST_F(TokenClaims, EveryAlgorithmVerifies) {
    for (const auto make : {test::make_rs256_signer, test::make_es256_signer,
                            +[] { return test::make_hs256_signer(); }}) {
        const auto other = make();
        EXPECT_EQ(test::verify(Draft(*other).sign(), other->key(), policy).tenant,
                  "zq7secret-tenant");
    }
}

// RFC 8725 section 3.1: the classic is an RSA public key used as an HMAC secret.
TEST_F(TokenClaims, AlgOfTheHeaderEqualsThatOfTheKey) {
    for (const char* alg : {"HS256", "RS256", "ES256"}) {
        draft.header["alg"] = std::string("\"") + alg + "\"";
        expect_invalid("algorithm of the token is not that of its key");
    }
    const auto secret = test::make_hs256_signer();
    const std::string hmac = Draft(*secret).sign();
    const VerifyingKey rsa = test::make_rs256_signer()->key();
    test::expect_refused(sqlstate::token_invalid, "algorithm of the token",
                         [&] { static_cast<void>(test::verify(hmac, rsa, policy)); });
}

TEST_F(TokenClaims, SignatureIsThatOfTheKey) {
    const VerifyingKey stranger = test::make_eddsa_signer()->key();
    test::expect_refused(sqlstate::token_invalid, "signature of the token is wrong",
                         [&] { static_cast<void>(test::verify(draft.sign(), stranger, policy)); });
}

// An unsigned claim must not be able to steer the answer: a forged token that is also expired and
// malformed is refused for its signature.
TEST_F(TokenClaims, SignatureIsCheckedBeforeTheClaims) {
    const VerifyingKey stranger = test::make_eddsa_signer()->key();
    set_times(1, 2);
    draft.claims["aud"] = "7";
    draft.claims.erase("tenant");
    test::expect_refused(sqlstate::token_invalid, "signature of the token is wrong",
                         [&] { static_cast<void>(test::verify(draft.sign(), stranger, policy)); });
}

TEST_F(TokenClaims, IssuerIsExact) {
    for (const char* issuer : {R"("https://zq7secret.example.com/")",
                               R"("https://ZQ7SECRET.example.com")", R"("zq7secret")"}) {
        draft.claims["iss"] = issuer;
        expect_invalid("issuer of the token is not that of its key");
    }
}

TEST_F(TokenClaims, AudienceIsRequired) {
    draft.claims.erase("aud");
    expect_invalid("audience of the token is missing");
}

TEST_F(TokenClaims, AudienceIsAStringOrAnArrayThatHasIt) {
    for (const char* audience : {R"("zq7secret-database")", R"(["zq7secret-database"])",
                                 R"(["other","zq7secret-database"])"}) {
        draft.claims["aud"] = audience;
        expect_accepted();
    }
}

TEST_F(TokenClaims, AudienceIsExact) {
    for (const char* audience :
         {R"("other")", R"("ZQ7SECRET-DATABASE")", R"("zq7secret-database ")", R"("zq7secret")",
          R"([])", R"(["other"])", R"("")", R"(["zq7secret-database/x"])"}) {
        draft.claims["aud"] = audience;
        expect_invalid("meant for another audience");
    }
}

TEST_F(TokenClaims, AudienceOfAnotherKindIsRefused) {
    for (const char* audience :
         {"1", "null", "{}", R"({"zq7secret-database":1})", R"(["zq7secret-database",1])",
          R"(["zq7secret-database",["x"]])", R"([["zq7secret-database"]])", "true"}) {
        draft.claims["aud"] = audience;
        expect_invalid("neither a string nor an array of strings");
    }
}

class TimeClaim : public TokenClaims, public testing::WithParamInterface<const char*> {};

INSTANTIATE_TEST_SUITE_P(TokenClaims, TimeClaim, testing::Values("exp", "nbf", "iat"),
                         [](const auto& info) { return std::string(info.param); });

TEST_P(TimeClaim, IsAnIntegerFrom0To2To53Minus1) {
    for (const char* time :
         {"1800000000.0", "1.8e9", "18E8", R"("1800000000")", "null", "true", "[1800000000]", "{}",
          "-1", "-0", "9007199254740992", "9223372036854775807", "9223372036854775808",
          "18446744073709551616", "-9223372036854775808"}) {
        draft.claims[GetParam()] = time;
        expect_invalid("of the token is malformed");
    }
}

TEST_F(TokenClaims, ExpIsRequired) {
    draft.claims.erase("exp");
    expect_invalid("claim \"exp\" of the token is missing");
}

TEST_F(TokenClaims, IatIsRequired) {
    draft.claims.erase("iat");
    expect_invalid("claim \"iat\" of the token is missing");
}

TEST_F(TokenClaims, LifetimeIsAtMostThatOfThePolicy) {
    set_times(now - 10, now - 10 + 3600);
    expect_accepted();
    set_times(now - 10, now - 10 + 3601);
    expect_invalid("lifetime of the token is too long");
    set_times(now - 10, max_time);
    expect_invalid("lifetime of the token is too long");
    set_times(0, max_time);
    policy.max_lifetime = max_time;
    expect_accepted();
}

TEST_F(TokenClaims, ExpIsAfterIat) {
    set_times(now, now);
    expect_invalid("expires before it is issued");
    set_times(now + 20, now + 10);
    expect_invalid("expires before it is issued");
}

TEST_F(TokenClaims, ExpIsCheckedWithLeeway) {
    set_times(now - 100, now - 29);
    expect_accepted();
    set_times(now - 100, now - 30);
    expect_refused(sqlstate::token_expired, "token has expired");
    policy.leeway = 0;
    set_times(now - 100, now + 1);
    expect_accepted();
    set_times(now - 100, now);
    expect_refused(sqlstate::token_expired, "token has expired");
}

TEST_F(TokenClaims, NbfIsCheckedWithLeeway) {
    draft.claims["nbf"] = std::to_string(now + 30);
    expect_accepted();
    draft.claims["nbf"] = std::to_string(now + 31);
    expect_refused(sqlstate::token_expired, "not valid yet");
    policy.leeway = 0;
    draft.claims["nbf"] = std::to_string(now);
    expect_accepted();
    draft.claims["nbf"] = std::to_string(now + 1);
    expect_refused(sqlstate::token_expired, "not valid yet");
}

// Without it a token minted now could start to live at any later time, whatever its lifetime.
TEST_F(TokenClaims, IatIsNotInTheFuture) {
    set_times(now + 30, now + 60);
    expect_accepted();
    set_times(now + 31, now + 60);
    expect_refused(sqlstate::token_expired, "not valid yet");
    set_times(now + 31536000, now + 31536060);
    expect_refused(sqlstate::token_expired, "not valid yet");
}

TEST_F(TokenClaims, TenantIsAString) {
    for (const char* tenant : {"42", "null", "true", R"(["zq7secret"])", R"({"id":"zq7secret"})"}) {
        draft.claims["tenant"] = tenant;
        expect_invalid("tenant of the token is not a string");
    }
    draft.claims.erase("tenant");
    expect_invalid("tenant of the token is missing");
}

TEST_F(TokenClaims, TextsHave1To255BytesWithoutControlCharacters) {
    for (const auto& [claim, what] :
         {std::pair{"tenant", "tenant of"}, std::pair{"sub", "actor of"},
          std::pair{"role", "role of"}, std::pair{"jti", "id of"}, std::pair{"mode", "mode of"}}) {
        for (const std::string& text :
             {std::string(), std::string(256, 'a'), std::string("zq7secret\\nforged log line"),
              std::string("\\u001b[2J"), std::string("\\u007f")}) {
            Draft bad(*signer);
            bad.claims[claim] = "\"" + text + "\"";
            test::expect_refused(sqlstate::token_invalid, what,
                                 [&] { static_cast<void>(test::verify(bad.sign(), key, policy)); });
        }
        Draft bad(*signer);
        bad.claims[claim] = "7";
        test::expect_refused(sqlstate::token_invalid, "is not a string",
                             [&] { static_cast<void>(test::verify(bad.sign(), key, policy)); });
    }
}

TEST_F(TokenClaims, ActorIsRequired) {
    draft.claims.erase("sub");
    expect_invalid("actor of the token is missing");
}

TEST_F(TokenClaims, NamesOfClaimsAreConfigurable) {
    policy.tenant_claim = "https://example.com/tenant";
    policy.actor_claim = "email";
    policy.mode_claim = "urn:mode";
    policy.role_claim = "https://example.com/role";
    draft.claims["https://example.com/tenant"] = R"("acme")";
    draft.claims["email"] = R"("ann@example.com")";
    draft.claims["urn:mode"] = R"("read_write")";
    draft.claims["https://example.com/role"] = R"("app")";
    const Claims claims = verify();
    EXPECT_EQ(claims.tenant, "acme");
    EXPECT_EQ(claims.actor, "ann@example.com");
    EXPECT_EQ(claims.mode, TokenMode::read_write);
    EXPECT_EQ(claims.role, "app");
}

TEST_F(TokenClaims, NamesAreNoPaths) {
    for (const char* name : {"app.tenant", "app/tenant", "/app/tenant", "$.app.tenant"}) {
        policy.tenant_claim = name;
        draft.claims["app"] = R"({"tenant":"zq7secret"})";
        expect_invalid("tenant of the token is missing");
    }
}

TEST_F(TokenClaims, ClaimsThatAreNotAskedForAreNotRead) {
    policy.role_claim = "";
    policy.mode_claim = "";
    draft.claims["role"] = R"("postgres")";
    draft.claims["mode"] = R"("zq7secret")";
    draft.claims[""] = R"("postgres")";
    const Claims claims = verify();
    EXPECT_FALSE(claims.role);
    EXPECT_FALSE(claims.mode);
}

TEST_F(TokenClaims, ModeIsReadWriteOrReadOnly) {
    draft.claims["mode"] = R"("read_write")";
    EXPECT_EQ(verify().mode, TokenMode::read_write);
    for (const char* mode : {R"("READ_ONLY")", R"("read-only")", R"("rw")", R"("zq7secret")"}) {
        draft.claims["mode"] = mode;
        expect_invalid("mode of the token is unknown");
    }
}

TEST(CheckTime, IsRepeatableForVerifiedClaims) {
    Claims claims;
    claims.iat = now;
    claims.exp = now + 60;
    EXPECT_NO_THROW(check_time(claims, now, 0));
    EXPECT_NO_THROW(check_time(claims, now + 59, 0));
    test::expect_refused(sqlstate::token_expired, "expired",
                         [&] { check_time(claims, now + 60, 0); });
    EXPECT_NO_THROW(check_time(claims, now + 89, 30));
    test::expect_refused(sqlstate::token_expired, "expired",
                         [&] { check_time(claims, now + 90, 30); });
    test::expect_refused(sqlstate::token_expired, "not valid yet",
                         [&] { check_time(claims, now - 31, 30); });
    claims.nbf = now + 10;
    test::expect_refused(sqlstate::token_expired, "not valid yet",
                         [&] { check_time(claims, now, 0); });
}

class WrongPolicy : public TokenClaims {
protected:
    void expect_wrong(std::string_view words) {
        test::expect_refused(sqlstate::invalid_parameter, words, [this] { check_policy(policy); });
        expect_refused(sqlstate::invalid_parameter, words);
        policy = test::policy();
    }
};

TEST_F(WrongPolicy, IsRefused) {
    EXPECT_NO_THROW(check_policy(policy));
    policy.issuer = "";
    expect_wrong("no issuer or no audience");
    policy.audience = "";
    expect_wrong("no issuer or no audience");
    policy.tenant_claim = "";
    expect_wrong("no claim for the tenant or the actor");
    policy.actor_claim = "";
    expect_wrong("no claim for the tenant or the actor");
    for (const std::int64_t lifetime : {std::int64_t{0}, std::int64_t{-1}, max_time + 1}) {
        policy.max_lifetime = lifetime;
        expect_wrong("lifetime of tokens is out of range");
    }
    for (const std::int64_t leeway : {-1, 31}) {
        policy.leeway = leeway;
        expect_wrong("leeway for clocks is out of range");
    }
}

TEST(TokenPolicyDefaults, LeewayIs30Seconds) {
    EXPECT_EQ(TokenPolicy{}.leeway, 30);
}

} // namespace
} // namespace tenancy
