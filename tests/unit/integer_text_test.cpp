#include "integer_text.hpp"

#include <gtest/gtest.h>

namespace tenancy {
namespace {

TEST(IntegerText, CanonicalTextsAreRead) {
    EXPECT_EQ(parse_canonical_bigint("0"), 0);
    EXPECT_EQ(parse_canonical_bigint("42"), 42);
    EXPECT_EQ(parse_canonical_bigint("-1"), -1);
    EXPECT_EQ(parse_canonical_bigint("100"), 100);
    EXPECT_EQ(parse_canonical_integer("-42"), -42);
}

TEST(IntegerText, OtherTextsOfTheSameIntegerAreRefused) {
    for (const char* text : {"042", " 42", "42 ", "+42", "-0", "00", "-042", "4_2", "42.0", "4e1",
                             "0x2a", "\t42", "42\n", "--1"}) {
        EXPECT_FALSE(parse_canonical_bigint(text)) << text;
        EXPECT_FALSE(parse_canonical_integer(text)) << text;
    }
}

TEST(IntegerText, WhatIsNoIntegerIsRefused) {
    for (const char* text : {"", "-", "acme", "4a", "\xd9\xa4"}) // the last: ARABIC-INDIC 4
        EXPECT_FALSE(parse_canonical_bigint(text)) << text;
    EXPECT_FALSE(parse_canonical_bigint(std::string_view("4\0002", 3)));
}

TEST(IntegerText, RangeOfBigint) {
    EXPECT_EQ(parse_canonical_bigint("9223372036854775807"), INT64_MAX);
    EXPECT_EQ(parse_canonical_bigint("-9223372036854775808"), INT64_MIN);
    EXPECT_FALSE(parse_canonical_bigint("9223372036854775808"));
    EXPECT_FALSE(parse_canonical_bigint("-9223372036854775809"));
    EXPECT_FALSE(parse_canonical_bigint("18446744073709551658")); // 42 modulo 2^64
}

TEST(IntegerText, RangeOfInteger) {
    EXPECT_EQ(parse_canonical_integer("2147483647"), INT32_MAX);
    EXPECT_EQ(parse_canonical_integer("-2147483648"), INT32_MIN);
    EXPECT_FALSE(parse_canonical_integer("2147483648"));
    EXPECT_FALSE(parse_canonical_integer("-2147483649"));
    EXPECT_FALSE(parse_canonical_integer("4294967338")); // 42 modulo 2^32
}

} // namespace
} // namespace tenancy
