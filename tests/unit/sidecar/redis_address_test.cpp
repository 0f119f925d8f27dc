#include "redis/address.hpp"

#include <gtest/gtest.h>

namespace tenancy::sidecar::redis {
namespace {

TEST(RedisAddress, FormsThatAreRead) {
    EXPECT_EQ(parse_address("localhost:7000"), (Address{"localhost", 7000}));
    EXPECT_EQ(parse_address("localhost"), (Address{"localhost", 6379}));
    EXPECT_EQ(parse_address("10.0.0.1:1"), (Address{"10.0.0.1", 1}));
    EXPECT_EQ(parse_address("[::1]:65535"), (Address{"::1", 65535}));
    EXPECT_EQ(parse_address("[fe80::1]"), (Address{"fe80::1", 6379}));
}

TEST(RedisAddress, FormsThatAreRefused) {
    for (const char* text :
         {"",         ":",       ":6379",        "host:",    "host:0", "host:65536", "host:-1",
          "host:1x",  "host: 1", "::1",          "::1:6379", "[::1",   "[::1]6379",  "[::1]:",
          "[host]:1", "[]:1",    "redis://host", "host:1:2", "a b:1",  "user@host:1"}) {
        EXPECT_FALSE(parse_address(text)) << text;
    }
}

TEST(RedisAddress, PrintedAsItIsRead) {
    for (const char* text : {"localhost:7000", "[::1]:6379", "10.0.0.1:1"}) {
        EXPECT_EQ(print_address(parse_address(text).value_or(Address{})), text);
    }
}

} // namespace
} // namespace tenancy::sidecar::redis
