// What is, and what is not, a signature under each of the four algorithms.
#include "signing.hpp"

#include <gtest/gtest.h>

namespace tenancy {
namespace {

constexpr std::string_view message = "header.claims";

void expect_sizes_refused(const test::Signer& signer) {
    const VerifyingKey key = signer.key();
    const std::string signature = signer.sign(message);
    EXPECT_TRUE(key.verifies(message, signature));
    EXPECT_FALSE(key.verifies(message, ""));
    EXPECT_FALSE(key.verifies(message, signature.substr(1)));
    EXPECT_FALSE(key.verifies(message, signature.substr(0, signature.size() - 1)));
    EXPECT_FALSE(key.verifies(message, signature + std::string(1, '\0')));
    EXPECT_FALSE(key.verifies(message, std::string(1, '\0') + signature));
    EXPECT_FALSE(key.verifies(message, signature + signature));
    EXPECT_FALSE(key.verifies("header.claimz", signature));
    EXPECT_FALSE(key.verifies("", signature));
}

TEST(Signature, OfOneSizeOnly) {
    expect_sizes_refused(*test::make_eddsa_signer());
    expect_sizes_refused(*test::make_hs256_signer());
    expect_sizes_refused(*test::make_hs256_signer(100)); // longer than a block of SHA-256
    expect_sizes_refused(*test::make_rs256_signer());
    expect_sizes_refused(*test::make_es256_signer());
}

TEST(Signature, OfAnotherKeyIsRefused) {
    EXPECT_FALSE(test::make_eddsa_signer()->key().verifies(
        message, test::make_eddsa_signer()->sign(message)));
    EXPECT_FALSE(test::make_hs256_signer()->key().verifies(
        message, test::make_hs256_signer()->sign(message)));
    EXPECT_FALSE(test::make_es256_signer()->key().verifies(
        message, test::make_es256_signer()->sign(message)));
}

TEST(Signature, ZerosAreRefused) {
    EXPECT_FALSE(test::make_eddsa_signer()->key().verifies(message, std::string(64, '\0')));
    EXPECT_FALSE(test::make_hs256_signer()->key().verifies(message, std::string(32, '\0')));
    EXPECT_FALSE(test::make_rs256_signer()->key().verifies(message, std::string(256, '\0')));
    EXPECT_FALSE(test::make_es256_signer()->key().verifies(message, std::string(64, '\0')));
}

TEST(Signature, Es256InDerIsRefused) {
    const auto signer = test::make_es256_signer();
    const std::string raw = signer->sign(message);
    std::string der = "\x30\x44\x02\x20" + raw.substr(0, 32) + "\x02\x20" + raw.substr(32);
    EXPECT_FALSE(signer->key().verifies(message, der));
}

// The same two numbers in more octets.
TEST(Signature, Es256HasTwoHalvesOf32Octets) {
    const auto signer = test::make_es256_signer();
    const std::string raw = signer->sign(message);
    const std::string zero(1, '\0');
    EXPECT_FALSE(signer->key().verifies(message, raw.substr(0, 32) + zero + raw.substr(32)));
    EXPECT_FALSE(signer->key().verifies(message, zero + raw.substr(0, 32) + zero + raw.substr(32)));
}

TEST(Signature, Es256WithRZeroOrSZeroIsRefused) {
    const auto signer = test::make_es256_signer();
    const std::string raw = signer->sign(message);
    const std::string zero(32, '\0');
    EXPECT_FALSE(signer->key().verifies(message, zero + raw.substr(32)));
    EXPECT_FALSE(signer->key().verifies(message, raw.substr(0, 32) + zero));
}

TEST(Signature, RsaWithAnotherPaddingOrDigestIsRefused) {
    const VerifyingKey key = test::make_rs256_signer()->key();
    EXPECT_FALSE(key.verifies(message, test::make_ps256_signer()->sign(message)));
    EXPECT_FALSE(key.verifies(message, test::make_rs384_signer()->sign(message)));
}

// S and S + L verify alike where S is not checked to be below the group's order L (RFC 8032
// section 5.1.7), which would give one token two texts.
TEST(Signature, EddsaWithSAboveTheOrderIsRefused) {
    const auto signer = test::make_eddsa_signer();
    std::string signature = signer->sign(message);
    constexpr unsigned char order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,
                                         0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
                                         0,    0,    0,    0,    0,    0,    0,    0,
                                         0,    0,    0,    0,    0,    0,    0,    0x10};
    unsigned carry = 0;
    for (std::size_t i = 0; i < 32; ++i) {
        carry += static_cast<unsigned char>(signature[32 + i]) + order[i];
        signature[32 + i] = static_cast<char>(carry & 0xff);
        carry >>= 8;
    }
    EXPECT_FALSE(signer->key().verifies(message, signature));
}

} // namespace
} // namespace tenancy
