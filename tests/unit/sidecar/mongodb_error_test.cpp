// Errors of MongoDB: of the store, or of one step; passing, or to be changed by somebody.
#include "mongodb/error.hpp"

#include <gtest/gtest.h>

namespace tenancy::sidecar::mongodb {
namespace {

bson_error_t error_of(std::uint32_t domain, std::uint32_t code) {
    bson_error_t error{};
    bson_set_error(&error, domain, code, "what happened");
    return error;
}

// The reason of Unavailable, or "CommandError".
std::string thrown_for(std::uint32_t domain, std::uint32_t code, bool timed_out = false) {
    try {
        throw_error(error_of(domain, code), timed_out);
    } catch (const Unavailable& unavailable) {
        return unavailable.reason();
    } catch (const CommandError&) {
        return "CommandError";
    }
}

TEST(MongodbError, WhatConcernsTheStoreIsUnavailable) {
    EXPECT_EQ(thrown_for(MONGOC_ERROR_SERVER, 13), "PermissionDenied");
    EXPECT_EQ(thrown_for(MONGOC_ERROR_SERVER, 18), "AuthenticationFailed");
    EXPECT_EQ(thrown_for(MONGOC_ERROR_SERVER, 91), "ShuttingDown");
    EXPECT_EQ(thrown_for(MONGOC_ERROR_SERVER, 10107), "NotPrimary");
    EXPECT_EQ(thrown_for(MONGOC_ERROR_SERVER, 14031), "StoreFull");
    EXPECT_EQ(thrown_for(MONGOC_ERROR_SERVER, 64), "NotDurable");
    EXPECT_EQ(thrown_for(MONGOC_ERROR_CLIENT, MONGOC_ERROR_CLIENT_AUTHENTICATE),
              "AuthenticationFailed");
    EXPECT_EQ(thrown_for(MONGOC_ERROR_PROTOCOL, MONGOC_ERROR_PROTOCOL_INVALID_REPLY),
              "ProtocolError");
    EXPECT_EQ(thrown_for(MONGOC_ERROR_SERVER_SELECTION, MONGOC_ERROR_SERVER_SELECTION_FAILURE),
              "Unreachable");
    EXPECT_EQ(thrown_for(MONGOC_ERROR_STREAM, MONGOC_ERROR_STREAM_SOCKET), "Unreachable");
}

TEST(MongodbError, TheEndOfTheTimeLimitIsTold) {
    EXPECT_EQ(thrown_for(MONGOC_ERROR_STREAM, MONGOC_ERROR_STREAM_SOCKET, true), "TimedOut");
    EXPECT_EQ(thrown_for(MONGOC_ERROR_CLIENT, MONGOC_ERROR_CLIENT_AUTHENTICATE, true), "TimedOut");
}

TEST(MongodbError, OtherAnswersConcernOneCommand) {
    for (const int code : {2, 26, 48, 59, 72, 85, 121, 11000, 50, 112}) {
        EXPECT_EQ(thrown_for(MONGOC_ERROR_SERVER, static_cast<std::uint32_t>(code)),
                  "CommandError");
    }
}

std::string said_of(int code, const std::string& text) {
    try {
        throw_server_error(code, text);
    } catch (const CommandError& error) {
        return failure_of(error).message;
    }
}

TEST(MongodbError, DocumentsAreNotQuoted) {
    const std::string told =
        said_of(11000, "E11000 duplicate key error collection: t_1.orders index: by_email dup key: "
                       "{ email: \"ann@example.com\" }");
    EXPECT_NE(told.find("t_1.orders index: by_email (code 11000)"), std::string::npos) << told;
    for (const int code : {11000, 121, 16755, 17280}) {
        for (const std::string text : {"E11000 index: x dup key: { email: \"ann\" }",
                                       "{ a: \"ann\" }", "{ a: \"ann dup key\" }"}) {
            EXPECT_EQ(said_of(code, text).find("ann"), std::string::npos) << code << text;
        }
    }
    EXPECT_NE(said_of(85, "the index ann").find("ann"), std::string::npos);
}

Failure failure_for(int code) {
    return failure_of(CommandError(code, "no"));
}

TEST(MongodbError, MissingCapabilitiesAreToldApart) {
    for (const int code : {59, 115, 238}) {
        EXPECT_TRUE(is_missing_capability(code));
        EXPECT_EQ(failure_for(code).reason, "CapabilityMissing");
        EXPECT_EQ(failure_for(code).kind, FailureKind::permanent);
    }
    EXPECT_FALSE(is_missing_capability(13));
}

TEST(MongodbError, WhatSomebodyHasToChangeIsPermanent) {
    EXPECT_EQ(failure_for(9).reason, "Refused");
    EXPECT_EQ(failure_for(85).reason, "IndexConflict");
    EXPECT_EQ(failure_for(11000).reason, "DuplicateKeys");
    for (const int code : {2, 9, 14, 67, 72, 73, 85, 86, 121, 197, 10334, 11000}) {
        EXPECT_EQ(failure_for(code).kind, FailureKind::permanent) << code;
    }
}

TEST(MongodbError, WhatPassesIsTransient) {
    for (const int code : {24, 46, 50, 112, 117, 215, 262, 12345}) {
        EXPECT_EQ(failure_for(code).kind, FailureKind::transient) << code;
    }
    EXPECT_EQ(failure_for(50).reason, "TimedOut");
    EXPECT_EQ(failure_for(133).reason, "ShardUnavailable");
    EXPECT_FALSE(store_wide_reason(133)) << "of other shards all may be well";
    EXPECT_NE(failure_for(112).message.find("(code 112)"), std::string::npos);
}

} // namespace
} // namespace tenancy::sidecar::mongodb
