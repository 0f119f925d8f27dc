// What a URI may ask of the driver: nothing that makes it turn to somebody else than the servers.
#include <gtest/gtest.h>

#include "mongodb/session.hpp"

namespace tenancy::sidecar::mongodb {
namespace {

// Why the URI cannot be used; empty when it can.
std::string refusal_of(const std::string& options) {
    StoreConfig config;
    config.name = "docs";
    config.kind = "mongodb";
    config.uri = "mongodb://localhost:1/?" + options;
    config.username = "tenancyd";
    config.password = "hunter2";
    try {
        return make_target(config).uri ? "" : "no target";
    } catch (const ConfigError& error) {
        return error.what();
    }
}

TEST(MongodbUri, AuthenticatesByScramAlone) {
    EXPECT_EQ(refusal_of("authSource=admin"), "");
    for (const std::string mechanism : {"MONGODB-AWS", "mongodb-aws", "MONGODB%2DAWS",
                                        "MONGODB-X509", "MONGODB-X509&authSource=$external"}) {
        const auto said = refusal_of("authMechanism=" + mechanism);
        EXPECT_EQ(said, "stores.docs.uri: take out authMechanism; tenancyd authenticates by SCRAM")
            << mechanism;
    }
    // Refused by the driver itself: one that it does not know, and those that want a user in the
    // URI.
    for (const std::string mechanism : {"MONGODB-OIDC", "GSSAPI", "PLAIN", "MONGODB-CR"}) {
        EXPECT_NE(refusal_of("authMechanism=" + mechanism), "") << mechanism;
    }
}

} // namespace
} // namespace tenancy::sidecar::mongodb
