#include "redis/refusal.hpp"

#include <gtest/gtest.h>

namespace tenancy::sidecar::redis {
namespace {

std::string reason_of(std::string_view error) {
    const auto found = unavailability(error);
    return found ? found->reason() : "";
}

TEST(RedisRefusal, ErrorsThatPutTheStoreOutOfService) {
    EXPECT_EQ(reason_of("LOADING Redis is loading the dataset in memory"), "StoreLoading");
    EXPECT_EQ(reason_of("MASTERDOWN Link with MASTER is down"), "PrimaryDown");
    EXPECT_EQ(reason_of("CLUSTERDOWN The cluster is down"), "ClusterDown");
    EXPECT_EQ(reason_of("CLUSTERDOWN Hash slot not served"), "ClusterDown");
    EXPECT_EQ(reason_of("READONLY You can't write against a read only replica."),
              "ReadOnlyReplica");
    EXPECT_EQ(reason_of("OOM command not allowed when used memory > 'maxmemory'."), "StoreFull");
    EXPECT_EQ(reason_of("MISCONF Redis is configured to save RDB snapshots"), "PersistenceFailing");
    EXPECT_EQ(reason_of("BUSY Redis is busy running a script."), "StoreBusy");
    EXPECT_EQ(reason_of("NOREPLICAS Not enough good replicas to write."), "TooFewReplicas");
    EXPECT_EQ(reason_of("NOAUTH Authentication required."), "AuthenticationFailed");
    EXPECT_EQ(reason_of("WRONGPASS invalid username-password pair"), "AuthenticationFailed");
    EXPECT_EQ(reason_of("NOPERM this user has no permissions"), "PermissionDenied");
    EXPECT_EQ(reason_of("DENIED Redis is running in protected mode"), "PermissionDenied");
    EXPECT_EQ(reason_of("ERR max number of clients reached"), "TooManyClients");
    EXPECT_EQ(reason_of("ERR This instance has cluster support disabled"), "ClusterMismatch");
}

TEST(RedisRefusal, ErrorsOfOneCommand) {
    for (const char* error : {"ERR syntax error", "WRONGTYPE Operation against a key",
                              "BUSYKEY Target key name already exists.", "NOSCRIPT No matching",
                              "TRYAGAIN Multiple keys", "", "O", "oom"}) {
        EXPECT_EQ(reason_of(error), "") << error;
    }
    EXPECT_EQ(failure_of("WRONGTYPE x").kind, FailureKind::permanent);
    EXPECT_EQ(failure_of("WRONGTYPE x").reason, "CommandRefused");
    EXPECT_EQ(failure_of("TRYAGAIN x").kind, FailureKind::transient);
    EXPECT_EQ(failure_of("TRYAGAIN x").reason, "SlotMoving");
}

TEST(RedisRefusal, Redirections) {
    const auto moved = redirection("MOVED 3999 127.0.0.1:6381");
    ASSERT_TRUE(moved);
    EXPECT_FALSE(moved->ask);
    EXPECT_EQ(moved->slot, 3999U);
    EXPECT_EQ(moved->address, (Address{"127.0.0.1", 6381}));
    const auto ask = redirection("ASK 0 ::1:6381");
    ASSERT_TRUE(ask);
    EXPECT_TRUE(ask->ask);
    EXPECT_EQ(ask->address, (Address{"::1", 6381}));
    EXPECT_EQ(redirection("MOVED 1 :6381").value_or(Redirection{}).address, (Address{"", 6381}));
    EXPECT_FALSE(redirection("ERR MOVED"));
}

TEST(RedisRefusal, RedirectionsToNowhere) {
    for (const char* error :
         {"MOVED", "MOVED ", "MOVED 1", "MOVED x a:1", "MOVED 16384 a:1", "MOVED -1 a:1",
          "MOVED 1 a", "MOVED 1 a:", "MOVED 1 a:99999", "ASK 1 a:b"}) {
        EXPECT_THROW(static_cast<void>(redirection(error)), Unavailable) << error;
    }
}

TEST(RedisRefusal, ArgumentsAreNotRepeated) {
    EXPECT_EQ(harmless("ERR unknown command 'AUTH', with args beginning with: 'secret'"),
              "ERR unknown command 'AUTH'");
    EXPECT_EQ(harmless("ERR \x01\xff\n"), "ERR ???");
    EXPECT_EQ(harmless(std::string(1000, 'x')).size(), 200U);
}

} // namespace
} // namespace tenancy::sidecar::redis
