#include "uuid.hpp"

#include <gtest/gtest.h>

namespace tenancy {
namespace {

constexpr const char* canonical = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11";

TEST(Uuid, CanonicalTextThereAndBack) {
    const Uuid uuid = parse_uuid(canonical).value_or(Uuid{});
    EXPECT_EQ(uuid.bytes[0], 0xa0);
    EXPECT_EQ(uuid.bytes[15], 0x11);
    EXPECT_EQ(print_uuid(uuid), canonical);
    EXPECT_EQ(print_uuid_hex(uuid), "a0eebc999c0b4ef8bb6d6bb9bd380a11");
}

TEST(Uuid, OtherFormsAreRefused) {
    for (const char* text :
         {"", "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11", "a0eebc999c0b4ef8bb6d6bb9bd380a11",
          "{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1",
          "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a111", " a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1",
          "a0eebc999-c0b-4ef8-bb6d-6bb9bd380a11", "g0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"})
        EXPECT_FALSE(parse_uuid(text)) << text;
}

TEST(Uuid, UpperCaseIsTheSameUuidWhereAllowed) {
    EXPECT_EQ(parse_uuid_any_case("A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"), parse_uuid(canonical));
    EXPECT_EQ(parse_uuid_any_case("A0eEbC99-9c0B-4eF8-Bb6d-6bB9bd380A11"), parse_uuid(canonical));
    EXPECT_FALSE(parse_uuid_any_case("G0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"));
}

// The forms that PostgreSQL's documentation of the type lists as accepted.
TEST(Uuid, WhatPostgresReadsAsUuid) {
    for (const char* text :
         {"A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11", "{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}",
          "a0eebc999c0b4ef8bb6d6bb9bd380a11", "a0ee-bc99-9c0b-4ef8-bb6d-6bb9-bd38-0a11",
          "{a0eebc99-9c0b4ef8-bb6d6bb9-bd380a11}"})
        EXPECT_TRUE(reads_as_uuid(text)) << text;
    for (const char* text :
         {"", "{}", "acme", "a0eebc999c0b4ef8bb6d6bb9bd380a1", "a0eebc999c0b4ef8bb6d6bb9bd380a11-",
          "-a0eebc999c0b4ef8bb6d6bb9bd380a11", "a0e-ebc999c0b4ef8bb6d6bb9bd380a11",
          "a0ee--bc999c0b4ef8bb6d6bb9bd380a11", "{a0eebc999c0b4ef8bb6d6bb9bd380a11"})
        EXPECT_FALSE(reads_as_uuid(text)) << text;
}

} // namespace
} // namespace tenancy
