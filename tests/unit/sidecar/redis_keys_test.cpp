#include "redis/keys.hpp"

#include <vector>

#include <gtest/gtest.h>

#include <fnmatch.h>

namespace tenancy::sidecar::redis {
namespace {

Uuid uuid(const char* text) {
    return parse_uuid(text).value_or(Uuid{});
}

const Uuid one = uuid("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11");
const Uuid two = uuid("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a12");

// The server's globs are those of fnmatch() as far as patterns here go.
bool matches(const std::string& pattern, const std::string& key) {
    return fnmatch(pattern.c_str(), key.c_str(), 0) == 0;
}

TEST(RedisKeys, Names) {
    EXPECT_EQ(marker_key(one), "{t:a0eebc999c0b4ef8bb6d6bb9bd380a11}:tenancy:tenant");
    EXPECT_EQ(setting_key(one), "{t:a0eebc999c0b4ef8bb6d6bb9bd380a11}:tenancy:settings");
    EXPECT_EQ(channel_of(one), "{t:a0eebc999c0b4ef8bb6d6bb9bd380a11}:tenancy");
}

TEST(RedisKeys, PrefixThereAndBack) {
    EXPECT_EQ(prefix_in(marker_key(one)), prefix_of(one));
    EXPECT_EQ(prefix_in(prefix_of(one)), prefix_of(one));
    EXPECT_EQ(tenant_of(prefix_of(one)), one);
    EXPECT_EQ(prefix_in("{t:acme}:x"), "{t:acme}:");
    EXPECT_FALSE(tenant_of("{t:acme}:"));
    EXPECT_FALSE(tenant_of("{t:A0EEBC999C0B4EF8BB6D6BB9BD380A11}:"));
    EXPECT_FALSE(tenant_of("{t:a0eebc999c0b4ef8bb6d6bb9bd380a1-}:"));
}

TEST(RedisKeys, KeysThatAreNoTenants) {
    for (const char* key : {"", "x", "{t:", "{t:x}", "{t:x}y:", "{t:x}y}:z", "t:x}:y", " {t:x}:y",
                            "{u:x}:y", "tenancy:instance"}) {
        EXPECT_EQ(prefix_in(key), "") << key;
    }
}

TEST(RedisKeys, PatternOfOneTenantIsItsPrefix) {
    EXPECT_EQ(pattern_for(std::vector{one}), prefix_of(one) + "*");
}

TEST(RedisKeys, PatternOfTwoTenantsLetsBothThrough) {
    const std::string pattern = pattern_for(std::vector{one, two});
    EXPECT_EQ(pattern, "{t:a0eebc999c0b4ef8bb6d6bb9bd380a1[12]}:*");
}

TEST(RedisKeys, PatternOfManyTenantsLetsAllThrough) {
    std::vector<Uuid> tenants;
    for (int i = 0; i < 300; i++) {
        Uuid each = one;
        each.bytes[0] = static_cast<std::uint8_t>(i);
        each.bytes[7] = static_cast<std::uint8_t>(i * 7);
        tenants.push_back(each);
    }
    const std::string pattern = pattern_for(tenants);
    for (const Uuid& each : tenants) {
        EXPECT_TRUE(matches(pattern, marker_key(each)));
    }
    Uuid other = one;
    other.bytes[15] = 0x12;
    EXPECT_FALSE(matches(pattern, marker_key(other)));
}

TEST(RedisKeys, EscapedGlobsMatchThemselvesAlone) {
    for (const char* text : {"{t:a*}:", "{t:?[ab]}:", "{t:\\}:", "{t:[^a-c]}:"}) {
        EXPECT_TRUE(matches(escape_glob(text), text)) << text;
    }
    EXPECT_FALSE(matches(escape_glob("{t:a*}:"), "{t:ab}:"));
    EXPECT_FALSE(matches(escape_glob("{t:[ab]}:"), "{t:a}:"));
}

} // namespace
} // namespace tenancy::sidecar::redis
