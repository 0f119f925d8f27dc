// What is told to PostgreSQL can be told, whatever a server wrote.
#include "postgres/registry_json.hpp"

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

} // namespace
} // namespace tenancy::sidecar
