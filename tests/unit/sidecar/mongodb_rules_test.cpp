// The small rules of the MongoDB store: names, needs, namespaces, sightings.
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "mongodb/namespaces.hpp"
#include "mongodb/places.hpp"
#include "mongodb/probe.hpp"
#include "mongodb/sightings.hpp"

namespace tenancy::sidecar::mongodb {
namespace {

Uuid uuid(const char* text) {
    return parse_uuid(text).value();
}

TEST(MongodbPlaces, DatabasesAreNamedAfterTheirTenants) {
    const auto tenant = uuid("0b4c64b4-8e56-491a-a00d-6336c2119dc8");
    EXPECT_EQ(database_of(tenant), "t_0b4c64b48e56491aa00d6336c2119dc8");
    EXPECT_EQ(tenant_of(database_of(tenant)), tenant);
    for (const char* other :
         {"tenancy", "admin", "t_", "t_0b4c64b48e56491aa00d6336c2119dc",
          "t_0b4c64b48e56491aa00d6336c2119dc88", "t_0B4C64B48E56491AA00D6336C2119DC8",
          "x_0b4c64b48e56491aa00d6336c2119dc8"}) {
        EXPECT_FALSE(tenant_of(other)) << other;
    }
}

TEST(MongodbPlaces, TheMarkersCollectionIsNotTheTenants) {
    EXPECT_FALSE(is_tenants_collection("tenancy"));
    EXPECT_FALSE(is_tenants_collection("system.views"));
    EXPECT_TRUE(is_tenants_collection("orders"));
}

Templates templates_with(const IndexTemplate& index) {
    CollectionTemplate collection{"c", std::nullopt, {{"a", index}}};
    return {{"c", collection}};
}

Trial failing(const std::string& capability) {
    Trial trial{"MongoDB", "7.0", true, {}};
    for (const char* each : {"publish", "drop_database", "ttl_index", "change_ttl", "validator"}) {
        trial.results[each] = each == capability ? "not implemented" : "";
    }
    return trial;
}

TEST(MongodbJudge, AMissingNeedIsNamedWithItsReason) {
    const auto capabilities = judge(failing("publish"), {});
    ASSERT_EQ(capabilities.missing.size(), 1U);
    EXPECT_EQ(capabilities.missing.front(), "publish: not implemented");
    EXPECT_FALSE(capabilities.details->at("publish").get<bool>());
    EXPECT_TRUE(capabilities.details->at("validator").get<bool>());
}

TEST(MongodbJudge, WhatNoTemplateNeedsIsAWarning) {
    IndexTemplate index;
    const auto unneeded = judge(failing("ttl_index"), templates_with(index));
    EXPECT_TRUE(unneeded.missing.empty());
    EXPECT_EQ(unneeded.warnings.size(), 1U);
    index.ttl_seconds = 5;
    EXPECT_EQ(judge(failing("ttl_index"), templates_with(index)).missing.size(), 1U);
    EXPECT_EQ(judge(failing("change_ttl"), templates_with(index)).missing.size(), 1U);
}

TEST(MongodbJudge, ALoneServerIsWarnedOf) {
    auto trial = failing("");
    trial.replicated = false;
    EXPECT_EQ(judge(trial, {}).warnings.size(), 1U);
}

TEST(MongodbNamespaces, CountsCollectionsAndIndexes) {
    EXPECT_EQ(namespaces_per_tenant({}), 1);
    EXPECT_EQ(namespaces_per_tenant(templates_with(IndexTemplate())), 3);
}

TEST(MongodbNamespaces, SessionsOfOneStoreCountTogether) {
    StoreConfig config;
    config.name = "one";
    const auto first = NamespaceCount::of(config);
    EXPECT_EQ(NamespaceCount::of(config), first);
    config.name = "two";
    EXPECT_NE(NamespaceCount::of(config), first);
}

TEST(MongodbSightings, RemembersFromTheFirstListingOn) {
    const auto tenant = uuid("0b4c64b4-8e56-491a-a00d-6336c2119dc8");
    const auto ours = uuid("11111111-1111-4111-8111-111111111111");
    const auto theirs = uuid("22222222-2222-4222-8222-222222222222");
    Sightings sightings;
    sightings.saw(tenant, ours);
    EXPECT_FALSE(sightings.instance_of(tenant));
    sightings.begin();
    sightings.saw(tenant, ours);
    EXPECT_EQ(sightings.instance_of(tenant), ours);
    sightings.saw(tenant, theirs);
    EXPECT_FALSE(sightings.instance_of(tenant));
    sightings.saw(tenant, ours);
    sightings.begin();
    EXPECT_FALSE(sightings.instance_of(tenant));
}

} // namespace
} // namespace tenancy::sidecar::mongodb
