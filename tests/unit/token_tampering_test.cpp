// No single character of a valid token can be changed, left out or added.
#include "signing.hpp"

#include "error.hpp"

#include <gtest/gtest.h>

namespace tenancy {
namespace {

constexpr std::string_view alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ \n";

bool is_accepted(std::string_view compact, const VerifyingKey& key) {
    try {
        static_cast<void>(test::verify(compact, key, test::policy()));
        return true;
    } catch (const Error&) {
        return false;
    }
}

// Replaces each character by `variants` others.
void expect_tampering_refused(const test::Signer& signer, std::size_t variants) {
    const VerifyingKey key = signer.key();
    const std::string token = test::Draft(signer).sign();
    ASSERT_TRUE(is_accepted(token, key));
    for (std::size_t position = 0; position < token.size(); ++position) {
        const std::size_t original = alphabet.find(token[position]);
        for (std::size_t step = 1; step <= variants; ++step) {
            std::string wrong = token;
            wrong[position] = alphabet[(original + step) % alphabet.size()];
            EXPECT_FALSE(is_accepted(wrong, key)) << position << " " << wrong[position];
        }
        EXPECT_FALSE(is_accepted(std::string(token).erase(position, 1), key)) << position;
        EXPECT_FALSE(is_accepted(std::string(token).insert(position, "A"), key)) << position;
    }
    EXPECT_FALSE(is_accepted(token + "A", key));
}

TEST(TokenTampering, EddsaEveryCharacterByEveryOther) {
    expect_tampering_refused(*test::make_eddsa_signer(), alphabet.size() - 1);
}

TEST(TokenTampering, Hs256EveryCharacterByEveryOther) {
    expect_tampering_refused(*test::make_hs256_signer(), alphabet.size() - 1);
}

TEST(TokenTampering, Rs256EveryCharacter) {
    expect_tampering_refused(*test::make_rs256_signer(), 2);
}

TEST(TokenTampering, Es256EveryCharacter) {
    expect_tampering_refused(*test::make_es256_signer(), 2);
}

} // namespace
} // namespace tenancy
