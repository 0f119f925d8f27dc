// What is told to PostgreSQL can be told, whatever a server wrote.
#include "postgres/registry_json.hpp"

#include <nlohmann/json.hpp>
#include <gtest/gtest.h>

namespace tenancy::sidecar {
namespace {

TEST(RegistryJson, HasNeitherZerosNorBytesThatAreNoText) {
    const std::string hostile("a\0b\xff", 4);
    StoreHealth health;
    health.message = hostile;
    health.capabilities = Capabilities{hostile, hostile, {{"details", {hostile}}}, {hostile}, {}};
    UnknownObject unknown{{hostile, {}, {}, {{"key", hostile}}}, "NoMarker", "reported"};
    for (const auto& json : {health_to_json(health), unknown_to_json({unknown})}) {
        const auto text = to_jsonb(json);
        EXPECT_EQ(text.find("\\u0000"), std::string::npos) << text;
        EXPECT_NE(text.find("a b\xef\xbf\xbd"), std::string::npos) << text;
        EXPECT_FALSE(Json::parse(text, nullptr, false).is_discarded()) << text;
    }
}

// The sums are those that PostgreSQL's sha256() gives.
TEST(RegistryJson, BoundsNamesAsPostgresDoes) {
    EXPECT_EQ(bounded_name(std::string(1000, 'x')), std::string(1000, 'x'));
    EXPECT_EQ(bounded_name("t_" + std::string(1000, 'x')),
              "t_" + std::string(198, 'x') +
                  "...sha256:5508b8621a2458c9c436eb1d3e82e8c19a77084878e952a84b2264b296566c6c");
    std::string accented;
    std::string beginning;
    for (int i = 0; i < 600; ++i) {
        accented += "\xc3\xa9";
        beginning += i < 200 ? "\xc3\xa9" : "";
    }
    EXPECT_EQ(bounded_name(accented),
              beginning +
                  "...sha256:17b9cc826ac8cbc9eb90dc2da81df1cff7d8a0d79515f8818e165cecfe4c8885");
    EXPECT_EQ(bounded_name(bounded_name(accented)), bounded_name(accented));
    const UnknownObject unknown{{std::string(1 << 20, 'x'), {}, {}, {}}, "NoMarker", "reported"};
    EXPECT_LT(to_jsonb(unknown_to_json({unknown})).size(), 1000U);
}

} // namespace
} // namespace tenancy::sidecar
