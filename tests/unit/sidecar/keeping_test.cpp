// The keepers of the instance and of a store: stamps, probes, the gate, what is measured.
#include <cmath>

#include <gtest/gtest.h>

#include "reconciling.hpp"

namespace tenancy::sidecar {
namespace {

class Keeping : public OneStore {};

TEST_F(Keeping, MeasuresHowFarTheStoreIsBehind) {
    database->lag_due = 3;
    database->lag_seconds = 7.5;
    daemon.settle();
    EXPECT_EQ(daemon.statistics.due.with({"cache"}).value(), 3);
    EXPECT_EQ(daemon.statistics.lag.with({"cache"}).value(), 7.5);
    database->identity.live_timeline = 2; // it only observes
    daemon.instance.run_once();
    EXPECT_TRUE(std::isnan(daemon.statistics.due.with({"cache"}).value()));
    EXPECT_TRUE(std::isnan(daemon.statistics.lag.with({"cache"}).value()));
}

TEST_F(Keeping, AsksHowFarTheStoreIsBehindWhereItWritesAndAsOftenAsItRunsSchedules) {
    int asked = 0;
    database->before = [&](std::string_view call) { asked += call == "lags" ? 1 : 0; };
    daemon.instance.run_once(); // the store has not been looked at
    EXPECT_EQ(asked, 0);
    daemon.settle();
    for (int i = 0; i < 3; ++i) {
        daemon.instance.run_once();
    }
    EXPECT_EQ(asked, 1);
    EXPECT_EQ(database->schedules, 1);
}

TEST_F(Keeping, WritesWhereTheDatabaseCannotTellHowFarTheStoreIsBehind) {
    database->before = [](std::string_view call) {
        if (call == "lags") {
            throw SqlError("42883", "an extension of an older version", "", "");
        }
    };
    daemon.settle();
    EXPECT_TRUE(daemon.gate().open);
}

TEST_F(Keeping, OpensNoStoreWhoseStampPostgresDoesNotKnowOf) {
    daemon.instance.run_once();
    daemon.keeper.run_once();
    daemon.instance.run_once();
    ASSERT_TRUE(daemon.surroundings.instance.view().may_write);
    server->before = [this](std::string_view call) {
        if (call == "probe") {
            daemon.surroundings.instance.fence("InstanceFenced", "meanwhile");
        }
    };
    daemon.keeper.run_once();
    EXPECT_FALSE(daemon.gate().open);
    daemon.settle();
    EXPECT_TRUE(daemon.gate().open);
    EXPECT_TRUE(database->definition.stamped);
}

TEST_F(Keeping, KeepsAwayFromAStoreThatLacksSomething) {
    server->capabilities.missing = {"transactions"};
    add(1);
    daemon.settle();
    (void)daemon.work();
    EXPECT_EQ(daemon.gate().reason, "CapabilityMissing");
    EXPECT_EQ(server->writes, 0);
}

TEST_F(Keeping, FencesAStoreThatLostItsStamp) {
    add(1);
    daemon.settle();
    ASSERT_TRUE(converge());
    server->stamp.reset();
    daemon.turn();
    EXPECT_EQ(daemon.gate().reason, "MissingStamp");
    database->definition.on_missing_stamp = "stamp";
    ++database->definition.generation;
    daemon.settle();
    EXPECT_TRUE(daemon.gate().open);
}

TEST_F(Keeping, HasAStoreComparedWhenOneOfItsServersWasStartedAnew) {
    add(1);
    daemon.settle();
    ASSERT_TRUE(converge());
    auto& scan = daemon.contexts.front()->scan;
    const Milliseconds now{0};
    while (scan.wait(now)) {
    }
    daemon.keeper.run_once();
    EXPECT_FALSE(scan.wait(now));
    server->runs = "second";
    break_once("runs"); // one that does not answer yet
    daemon.keeper.run_once();
    EXPECT_TRUE(daemon.gate().open);
    EXPECT_FALSE(scan.wait(now));
    daemon.keeper.run_once();
    EXPECT_TRUE(scan.wait(now));
    daemon.keeper.run_once();
    EXPECT_FALSE(scan.wait(now));
}

TEST_F(Keeping, FindsAStoreBackBeforeItsServersAreAskedForTheirRuns) {
    add(1);
    daemon.settle();
    ASSERT_TRUE(converge());
    auto& breaker = daemon.contexts.front()->breaker;
    breaker.failed();
    unsigned allowed = 9;
    server->before = [&](std::string_view call) {
        allowed = call == "runs" ? breaker.allowed(Task::keep) : allowed;
    };
    const auto limit = Deadline::in(Milliseconds(10'000));
    while (breaker.allowed(Task::keep) == 0 && !limit.passed()) {
        daemon.keeper.run_once();
    }
    EXPECT_EQ(allowed, 1U);
}

// One of several servers is away: that the others' connections are counted anew closes nothing.
TEST_F(Keeping, KeepsAStoreOpenThatWasFoundFitThoughItCannotBeProbedAgain) {
    add(1);
    daemon.settle();
    ASSERT_TRUE(daemon.gate().open);
    ++server->connection;
    server->before = [](std::string_view call) {
        if (call == "probe") {
            throw Unavailable("Unreachable", "one of the servers");
        }
    };
    for (int tick = 0; tick < 3; ++tick) {
        daemon.keeper.run_once();
        EXPECT_TRUE(daemon.gate().open) << daemon.gate().message;
    }
    EXPECT_TRUE(converge());
}

TEST_F(Keeping, TellsAStampThatIsOfNoUseFromAServerThatIsAway) {
    daemon.settle();
    for (const auto& [reason, answers] :
         {std::pair("StampUnreadable", true), std::pair("Unreachable", false)}) {
        server->before = [reason = reason](std::string_view) { throw Unavailable(reason, ""); };
        daemon.keeper.run_once();
        EXPECT_EQ(database->health.back().reason, reason);
        EXPECT_EQ(database->health.back().fenced, answers);
        EXPECT_EQ(database->health.back().reachable, answers);
        server->before = [](std::string_view) {};
        daemon.settle();
    }
}

TEST_F(Keeping, DoesNotStampWhatHoldsOthersTenants) {
    server->tenants["t"].marker = Marker{Uuid{{99}}, 1, "active"};
    add(1);
    daemon.settle();
    EXPECT_EQ(daemon.gate().reason, "ForeignObjects");
    EXPECT_FALSE(server->stamp.has_value());
}

TEST_F(Keeping, DoesNotStampWhereTheStoreDoesNotSayWhoseATenantIs) {
    server->tenants["t"].unanswered = true;
    add(1);
    daemon.settle();
    EXPECT_EQ(daemon.gate().reason, "TimedOut");
    EXPECT_FALSE(server->stamp.has_value());
}

TEST_F(Keeping, DoesNotStampWhatItHasNotLookedAtToTheEnd) {
    server->tenants["t"].marker = Marker{Uuid{{99}}, 1, "active"};
    add(1);
    server->before = [&](std::string_view call) {
        if (call == "list") {
            daemon.surroundings.shutdown.begin(Deadline::in(Milliseconds(1000)));
        }
    };
    daemon.settle();
    EXPECT_FALSE(server->stamp.has_value());
}

TEST_F(Keeping, DoesNotBindAFreshDatabaseBesideStampedStores) {
    server->stamp = Stamp{Uuid{{99}}, "cache", 1, 1};
    daemon.settle();
    EXPECT_EQ(daemon.surroundings.instance.view().reason, "StoresStamped");
    EXPECT_FALSE(database->identity.bound);
}

TEST_F(Keeping, ACopyWithAMemoryOfItsOwnNeverWrites) {
    add(4);
    daemon.settle();
    ASSERT_TRUE(converge());
    const auto writes = server->writes;
    auto copy = std::make_shared<FakeDatabase>("cache");
    copy->identity = database->identity;
    copy->definition = database->definition;
    daemon.turn(); // the original goes on, and so do its ticks
    daemon.turn();
    copy->add(tenant_number(50));
    // The coldest of copies: everything is the same, the state directory too.
    Daemon on_copy{copy, server};
    std::filesystem::copy_file(daemon.directory.path() / "instance.json",
                               on_copy.directory.path() / "instance.json");
    for (int i = 0; i < 10; ++i) {
        on_copy.turn();
    }
    EXPECT_EQ(on_copy.gate().reason, "StampMismatch");
    ASSERT_FALSE(copy->health.empty());
    EXPECT_TRUE(copy->health.back().fenced);
    EXPECT_EQ(copy->health.back().reason, "StampMismatch");
    EXPECT_EQ(server->writes, writes);
    daemon.turn();
    EXPECT_TRUE(daemon.gate().open);
}

// The session that it worked with as the original is refused from then on.
TEST_F(Keeping, ADaemonWhoseDatabaseBecameACopySeesTheOriginalGoOn) {
    daemon.settle();
    ASSERT_TRUE(daemon.gate().open);
    daemon.turn();
    database->identity.live_timeline += 1;
    daemon.turn();
    EXPECT_FALSE(daemon.gate().open);
    EXPECT_FALSE(daemon.contexts.front()->contested());
    server->stamp->tick = database->identity.tick + 1;
    daemon.turn();
    EXPECT_TRUE(daemon.contexts.front()->contested());
}

// Whoever was fenced for a moment would be so until somebody adopts: the stamp is overtaken by
// none.
TEST_F(Keeping, ASessionWithAnotherDatabaseSaysNothingOfTheStamp) {
    daemon.settle();
    daemon.turn();
    ASSERT_GT(database->identity.tick, 0);
    const auto ours = database->identity;
    auto clone = ours;
    clone.id = Uuid{{99}};
    auto promoted = ours;
    promoted.live_timeline += 1;
    auto standby = ours;
    standby.in_recovery = true;
    for (auto other : {clone, promoted, standby}) {
        daemon.surroundings.instance.fence("InstanceFenced", "a worker's session was refused");
        other.tick = 0;
        database->identity = other;
        daemon.keeper.run_once();
        database->identity = ours;
        daemon.turn();
        EXPECT_TRUE(daemon.gate().open) << daemon.gate().message;
    }
}

TEST_F(Keeping, TwoDaemonsStampByTurns) {
    Daemon second{database, server};
    daemon.settle();
    std::filesystem::copy_file(daemon.directory.path() / "instance.json",
                               second.directory.path() / "instance.json");
    for (int i = 0; i < 5; ++i) {
        second.turn();
        daemon.instance.run_once();
        second.instance.run_once();
        second.keeper.run_once();
        daemon.keeper.run_once();
        EXPECT_TRUE(daemon.gate().open) << daemon.gate().message;
        EXPECT_TRUE(second.gate().open) << second.gate().message;
    }
}

} // namespace
} // namespace tenancy::sidecar
