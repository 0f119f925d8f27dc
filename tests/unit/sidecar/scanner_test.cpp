// What a scan finds, repairs, reports and removes.
#include <nlohmann/json.hpp>
#include <gtest/gtest.h>

#include "reconciling.hpp"

namespace tenancy::sidecar {
namespace {

class Scanning : public OneStore {
protected:
    void SetUp() override {
        add(5);
        daemon.settle();
        ASSERT_TRUE(converge());
    }
    void scan_with(const std::string& policy) {
        database->definition.unknown_objects = policy;
        ++database->definition.generation;
        daemon.settle();
        ASSERT_TRUE(daemon.scanner.run_once(daemon.beat));
    }
    const std::string stranger = print_uuid(tenant_number(900));
};

TEST_F(Scanning, FindsNothingWhereNothingDiffers) {
    scan_with("report");
    EXPECT_TRUE(database->converged());
    EXPECT_TRUE(database->unknown.empty());
    EXPECT_EQ(daemon.statistics.scanned.with({"cache"}).value(), 5U);
}

TEST_F(Scanning, GoesOnAfterAPageOfFewerThanItAskedFor) {
    database->longest_page = 2;
    scan_with("report");
    EXPECT_EQ(daemon.statistics.scanned.with({"cache"}).value(), 5U);
}

TEST_F(Scanning, HasWhatIsMissingOrChangedRepaired) {
    server->tenants.erase(print_uuid(tenant_number(1)));
    server->tenants[print_uuid(tenant_number(2))].settings = Json{{"odd", true}};
    scan_with("report");
    EXPECT_EQ(daemon.statistics.scan_differing.with({"cache"}).value(), 2U);
    ASSERT_TRUE(converge());
    EXPECT_TRUE(server->tenants.contains(print_uuid(tenant_number(1))));
    EXPECT_EQ(server->tenants.at(print_uuid(tenant_number(2))).settings, JsonValue());
    EXPECT_EQ(daemon.statistics.drifted.with({"cache"}).value(), 2U);
}

TEST_F(Scanning, IsNotEndedByATenantOverWhichTheStoreHangs) {
    server->tenants[print_uuid(tenant_number(2))].settings = Json{{"odd", true}};
    bool hangs = true;
    server->look = [&](const Desired& desired) {
        if (hangs && desired.tenant == tenant_number(1)) {
            throw Unavailable("TimedOut", "no answer in time");
        }
    };
    scan_with("report");
    EXPECT_EQ(daemon.statistics.scan_differing.with({"cache"}).value(), 2U);
    for (int turns = 0; turns < 5; ++turns) {
        daemon.turn();
    }
    EXPECT_EQ(database->rows.at(tenant_number(1)).reason, "TimedOut");
    EXPECT_EQ(server->tenants.at(print_uuid(tenant_number(2))).settings, JsonValue());
    hangs = false;
    ASSERT_TRUE(converge());
}

TEST_F(Scanning, HasATenantThatCannotBeLookedAtTriedByAWorker) {
    server->unreadable = [](const Desired& desired) -> std::optional<Failure> {
        if (desired.tenant == tenant_number(1)) {
            return Failure{FailureKind::permanent, "Refused", "a view in a collection's place"};
        }
        return std::nullopt;
    };
    scan_with("report");
    EXPECT_TRUE(row(1).due);
    (void)daemon.work();
    EXPECT_TRUE(row(1).parked);
    EXPECT_EQ(row(1).reason, "Refused");
}

TEST_F(Scanning, IsNotFinishedOnAServerThatWasNotVerified) {
    server->before = [this](std::string_view call) {
        if (call == "list") {
            ++server->connection;
            server->stamp->instance = Uuid{{99}};
        }
    };
    EXPECT_FALSE(daemon.scanner.run_once(daemon.beat));
}

TEST_F(Scanning, EndsASuspicionThatAnotherDaemonHasSettled) {
    auto& suspects = daemon.contexts.front()->suspects;
    suspects.add(tenant_number(1));
    suspects.add(tenant_number(2));
    server->tenants[print_uuid(tenant_number(2))].settings = Json{{"odd", true}};
    scan_with("report");
    EXPECT_FALSE(suspects.contains(tenant_number(1)));
    EXPECT_TRUE(suspects.contains(tenant_number(2))) << "it differs: a worker is still to try";
}

TEST_F(Scanning, OfTenantsOneByOneEndsWithTheShutdown) {
    auto& suspects = daemon.contexts.front()->suspects;
    for (unsigned i = 0; i < 5; ++i) {
        suspects.add(tenant_number(i));
    }
    server->looks.clear();
    server->look = [this](const Desired&) {
        daemon.surroundings.shutdown.begin(Deadline::in(Milliseconds(60'000)));
        throw Unavailable("TimedOut", "no answer in time");
    };
    EXPECT_FALSE(daemon.scanner.run_once(daemon.beat));
    EXPECT_EQ(server->looks.size(), 1U);
}

TEST_F(Scanning, IsEndedByAStoreThatIsAway) {
    server->look = [this](const Desired&) {
        server->before = [](std::string_view) { throw Unavailable("TimedOut", "away"); };
        throw Unavailable("TimedOut", "no answer in time");
    };
    EXPECT_FALSE(daemon.scanner.run_once(daemon.beat));
    EXPECT_FALSE(daemon.contexts.front()->suspects.contains(tenant_number(0)));
}

TEST_F(Scanning, HasWhatAnErasedTenantLeftErasedAgain) {
    database->change(tenant_number(1), "erasing", false, Json::object());
    ASSERT_TRUE(converge());
    server->tenants[print_uuid(tenant_number(1))].marker = Marker{database->identity.id, 1, "x"};
    scan_with("report");
    ASSERT_TRUE(converge());
    EXPECT_FALSE(server->tenants.contains(print_uuid(tenant_number(1))));
    EXPECT_TRUE(database->unknown.empty());
}

TEST_F(Scanning, ReportsAStrangerAndLeavesItAlone) {
    server->tenants[stranger].marker = Marker{database->identity.id, 1, "active"};
    scan_with("report");
    EXPECT_TRUE(server->tenants.contains(stranger));
    EXPECT_EQ(database->unknown.at(stranger).reason, "UnknownTenant");
    EXPECT_EQ(database->unknown.at(stranger).resolution, "reported");
}

TEST_F(Scanning, PrunesAStrangerByPolicyButNeverAForeignOne) {
    server->tenants[stranger].marker = Marker{database->identity.id, 1, "active"};
    const auto foreign = print_uuid(tenant_number(901));
    server->tenants[foreign].marker = Marker{Uuid{{99}}, 1, "active"};
    server->tenants["no tenant's name"];
    scan_with("prune");
    EXPECT_FALSE(server->tenants.contains(stranger));
    EXPECT_EQ(database->unknown.at(stranger).resolution, "pruned");
    EXPECT_TRUE(server->tenants.contains(foreign));
    EXPECT_EQ(database->unknown.at(foreign).reason, "ForeignInstance");
    EXPECT_TRUE(server->tenants.contains("no tenant's name"));
}

TEST_F(Scanning, LeavesWhatTheStoreDoesNotSayWhoseItIs) {
    for (const char* policy : {"prune", "adopt"}) {
        server->tenants[stranger].unanswered = true;
        scan_with(policy);
        EXPECT_FALSE(server->tenants.at(stranger).marker);
        EXPECT_EQ(database->unknown.at(stranger).reason, "Unanswered");
        EXPECT_EQ(database->unknown.at(stranger).resolution, "reported");
    }
}

TEST_F(Scanning, AdoptsWhatHasNoMarkerByPolicy) {
    server->tenants[stranger];
    scan_with("adopt");
    EXPECT_EQ(database->unknown.at(stranger).resolution, "adopted");
    EXPECT_EQ(server->tenants.at(stranger).marker->instance, database->identity.id);
}

TEST_F(Scanning, SaysWhatItPrunesBeforeItDoes) {
    server->tenants[stranger].marker = Marker{database->identity.id, 1, "active"};
    std::string said;
    server->before = [&](std::string_view call) {
        if (call == "prune") {
            said = database->unknown.at(stranger).resolution;
        }
    };
    scan_with("prune");
    EXPECT_EQ(said, "pruned");
}

TEST_F(Scanning, IsNotEndedByAnObjectThatPostgresRefuses) {
    const auto other = print_uuid(tenant_number(901));
    server->tenants[stranger].marker = Marker{database->identity.id, 1, "active"};
    server->tenants[other].marker = Marker{database->identity.id, 1, "active"};
    database->unfit = stranger;
    scan_with("prune");
    EXPECT_TRUE(server->tenants.contains(stranger)) << "what was not said is not done";
    EXPECT_FALSE(server->tenants.contains(other));
    ASSERT_EQ(database->unknown.size(), 2U);
    for (const auto& [name, unknown] : database->unknown) {
        EXPECT_EQ(unknown.resolution, name == other ? "pruned" : "reported") << name;
        EXPECT_TRUE(name == other || name.starts_with("refused:")) << name;
    }
}

TEST_F(Scanning, IsEndedByNotBeingTheInstanceAnyMore) {
    server->tenants[stranger].marker = Marker{database->identity.id, 1, "active"};
    database->before = [](std::string_view name) {
        if (name == "report_unknown") {
            throw SqlError("TN026", "not the instance", "", "");
        }
    };
    EXPECT_FALSE(daemon.scanner.run_once(daemon.beat));
}

TEST_F(Scanning, DoesNotPruneATenantThatWasMadeMeanwhile) {
    database->before = [this](std::string_view name) {
        if (name != "desired_after") {
            return;
        }
        database->before = [](std::string_view) {};
        // Read already; now somebody provisions a tenant and another daemon shows it.
        server->before = [this](std::string_view call) {
            if (call == "list") {
                server->before = [](std::string_view) {};
                database->add(tenant_number(900));
                server->tenants[stranger].marker = Marker{database->identity.id, 1, "active"};
            }
        };
    };
    scan_with("prune");
    EXPECT_TRUE(server->tenants.contains(stranger));
    EXPECT_TRUE(database->unknown.empty());
}

TEST_F(Scanning, PrunesNothingByAPolicyThatIsNoMore) {
    server->tenants[stranger].marker = Marker{database->identity.id, 1, "active"};
    server->before = [&](std::string_view call) {
        if (call == "list") {
            server->before = [](std::string_view) {};
            auto changed = *daemon.contexts.front()->definition();
            changed.unknown_objects = "report";
            ++changed.generation;
            daemon.contexts.front()->define(
                std::make_shared<const StoreDefinition>(std::move(changed)));
        }
    };
    database->definition.unknown_objects = "prune";
    ++database->definition.generation;
    daemon.settle();
    EXPECT_FALSE(daemon.scanner.run_once(daemon.beat));
    EXPECT_TRUE(server->tenants.contains(stranger));
}

TEST_F(Scanning, IsNotDoneWhileTheStoreIsFenced) {
    server->stamp = Stamp{Uuid{{99}}, "cache", 1, 1};
    ++server->connection;
    server->tenants[stranger].marker = Marker{database->identity.id, 1, "active"};
    EXPECT_FALSE(daemon.scanner.run_once(daemon.beat));
    EXPECT_TRUE(server->tenants.contains(stranger));
}

} // namespace
} // namespace tenancy::sidecar
