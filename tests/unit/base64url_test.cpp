#include "base64url.hpp"

#include <gtest/gtest.h>

namespace tenancy {
namespace {

// RFC 4648 section 10, without the padding.
constexpr std::pair<const char*, const char*> vectors[] = {
    {"", ""},           {"f", "Zg"},          {"fo", "Zm8"},          {"foo", "Zm9v"},
    {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"},
};

TEST(Base64url, Rfc4648Vectors) {
    for (const auto& [bytes, text] : vectors) {
        EXPECT_EQ(encode_base64url(bytes), text);
        EXPECT_EQ(decode_base64url(text), bytes);
    }
}

TEST(Base64url, Rfc7515AppendixC) {
    const std::string bytes = "\x03\xec\xff\xe0\xc1";
    EXPECT_EQ(encode_base64url(bytes), "A-z_4ME");
    EXPECT_EQ(decode_base64url("A-z_4ME"), bytes);
}

TEST(Base64url, EveryByteThereAndBack) {
    for (std::size_t size = 1; size <= 4; ++size) {
        for (int byte = 0; byte < 256; ++byte) {
            const std::string bytes(size, static_cast<char>(byte));
            EXPECT_EQ(decode_base64url(encode_base64url(bytes)), bytes);
        }
    }
}

TEST(Base64url, TrailingBitsAreZero) {
    EXPECT_FALSE(decode_base64url("Zh"));  // 'f' with a bit of the rest set
    EXPECT_FALSE(decode_base64url("Zm9")); // "fo"
    EXPECT_FALSE(decode_base64url("Zm9vYh"));
}

TEST(Base64url, OneTextForEachByteString) {
    // Of all two-character texts exactly 256 decode: one for each byte.
    const std::string alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    int accepted = 0;
    for (const char first : alphabet)
        for (const char second : alphabet)
            accepted += decode_base64url(std::string{first, second}).has_value() ? 1 : 0;
    EXPECT_EQ(accepted, 256);
}

TEST(Base64url, LengthOneModuloFourIsRefused) {
    EXPECT_FALSE(decode_base64url("A"));
    EXPECT_FALSE(decode_base64url("Zm9vY"));
}

TEST(Base64url, CharactersOutsideTheAlphabetAreRefused) {
    for (const char* text :
         {"Zg==", "Zm8=", "Z g", " Zg", "Zg ", "Zg\n", "+-Zg", "/_Zg", "Zm9v.Zg", "Zm9\xc3"})
        EXPECT_FALSE(decode_base64url(text)) << text;
    EXPECT_FALSE(decode_base64url(std::string_view("Zm9v\0Zm9", 8)));
}

} // namespace
} // namespace tenancy
