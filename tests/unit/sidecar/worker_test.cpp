// One daemon, one store: what a batch does, and what becomes of it when something fails.
#include <algorithm>
#include <limits>

#include <nlohmann/json.hpp>
#include <gtest/gtest.h>

#include "reconciling.hpp"

namespace tenancy::sidecar {
namespace {

class Worker : public OneStore {};

TEST_F(Worker, BindsAFreshInstanceStampsTheStoreAndShowsEveryTenant) {
    add(10);
    daemon.settle();
    ASSERT_TRUE(daemon.gate().open) << daemon.gate().message;
    EXPECT_TRUE(database->definition.stamped);
    EXPECT_TRUE(converge());
    EXPECT_EQ(server->tenants.size(), 10U);
    EXPECT_EQ(shown(3)->marker->instance, database->identity.id);
    EXPECT_EQ(daemon.statistics.tenants.with({"cache", "converged"}).value(), 10U);
}

TEST_F(Worker, TakesNoMoreThanABatchAndSaysThatThereIsMore) {
    add(6);
    daemon.settle();
    EXPECT_TRUE(daemon.work());
    EXPECT_EQ(server->tenants.size(), 4U);
    EXPECT_TRUE(daemon.work()) << "somebody may have changed meanwhile";
    EXPECT_EQ(server->tenants.size(), 6U);
    EXPECT_FALSE(daemon.work());
}

TEST_F(Worker, LeavesErasingToTheThreadThatDoesNothingElse) {
    add(2);
    daemon.settle();
    ASSERT_TRUE(converge());
    database->change(tenant_number(0), "erasing", false, Json::object());
    database->change(tenant_number(1), "suspended", true, Json::object());
    (void)daemon.worker.run_once();
    EXPECT_EQ(shown(1)->marker->state, "suspended");
    EXPECT_TRUE(server->erased.empty());
    database->change(tenant_number(1), "active", true, Json::object());
    (void)daemon.eraser.run_once();
    EXPECT_EQ(shown(0), nullptr);
    EXPECT_EQ(shown(1)->marker->state, "suspended");
}

// Whose erasing began while a worker had it becomes due by the report, of which nobody is notified.
TEST_F(Worker, HasTheThreadThatErasesLookWhenItFindsNothingMore) {
    add(1);
    daemon.settle();
    auto& due_to_erase = daemon.contexts.front()->due_to_erase;
    (void)due_to_erase.wait(Milliseconds::zero());
    while (daemon.worker.run_once()) {
    }
    EXPECT_TRUE(due_to_erase.wait(Milliseconds::zero()));
}

TEST_F(Worker, ErasesAndTakesTheAbsenceAsProof) {
    add(1);
    daemon.settle();
    ASSERT_TRUE(converge());
    database->change(tenant_number(0), "erasing", false, Json::object());
    ASSERT_TRUE(converge());
    EXPECT_TRUE(server->tenants.empty());
    EXPECT_EQ(row(0).proofs, 1);
    EXPECT_EQ(server->erased.size(), 1U);
}

TEST_F(Worker, StopsErasingWhereAnotherDatabaseHasTakenItsPlace) {
    add(4);
    daemon.settle();
    ASSERT_TRUE(converge());
    for (unsigned i = 0; i < 4; ++i) {
        database->change(tenant_number(i), "erasing", false, Json::object());
    }
    server->after = [this](std::string_view step) {
        if (step == "erase") {
            daemon.surroundings.instance.fence("StampMismatch", "seen meanwhile");
        }
    };
    (void)daemon.work();
    EXPECT_EQ(server->erased.size(), 1U);
}

TEST_F(Worker, OverwritesAGenerationThatTheDatabaseHasNeverGivenOut) {
    add(2);
    daemon.settle();
    ASSERT_TRUE(converge());
    for (unsigned i = 0; i < 2; ++i) {
        auto& marker = server->tenants.at(print_uuid(tenant_number(i))).marker;
        marker->generation = std::numeric_limits<std::int64_t>::max();
    }
    database->change(tenant_number(0), "suspended", true, Json::object());
    database->change(tenant_number(1), "erasing", false, Json::object());
    ASSERT_TRUE(converge());
    EXPECT_EQ(*shown(0)->marker, (Marker{database->identity.id, 2, "suspended"}));
    EXPECT_EQ(shown(1), nullptr);
}

TEST_F(Worker, LeavesAGenerationThatTheDatabaseHasGivenOutMeanwhile) {
    add(1);
    daemon.settle();
    ASSERT_TRUE(converge());
    database->change(tenant_number(0), "read_only", true, Json::object());
    server->before = [this](std::string_view name) {
        if (name == "observe") { // another daemon is faster with a later change
            server->before = [](std::string_view) {};
            database->change(tenant_number(0), "suspended", true, Json::object());
            auto& shown = server->tenants.at(print_uuid(tenant_number(0)));
            shown.marker = Marker{database->identity.id, 3, "suspended"};
        }
    };
    (void)daemon.work();
    EXPECT_EQ(*shown(0)->marker, (Marker{database->identity.id, 3, "suspended"}));
    EXPECT_TRUE(converge());
}

TEST_F(Worker, ChargesNoTenantForAStoreThatIsDown) {
    for (const auto* call : {"read_stamp", "observe", "publish"}) {
        add(8);
        daemon.settle();
        ASSERT_TRUE(converge());
        for (unsigned i = 0; i < 4; ++i) {
            database->change(tenant_number(i), "active", true, Json{{"call", call}});
        }
        ++server->connection; // the stamp is read anew
        break_once(call);
        EXPECT_FALSE(daemon.work());
        EXPECT_EQ(daemon.contexts.front()->breaker.allowed(Task::keep), 0U) << call;
        for (unsigned i = 0; i < 4; ++i) {
            EXPECT_TRUE(row(i).due) << call;
            EXPECT_EQ(row(i).token, 0) << call;
            EXPECT_EQ(row(i).attempts, 0) << call;
        }
        EXPECT_TRUE(converge()) << call;
    }
}

TEST_F(Worker, PutsOffATenantThatBringsTheStoreDownAlone) {
    add(8);
    daemon.settle();
    ASSERT_TRUE(converge());
    const auto poison = print_uuid(tenant_number(0));
    server->fail = [&](const Desired& desired, const Action&) -> std::optional<Failure> {
        if (print_uuid(desired.tenant) == poison) {
            throw Unavailable("Unreachable", "the server fell over");
        }
        return std::nullopt;
    };
    for (unsigned i = 0; i < 8; ++i) {
        database->change(tenant_number(i), "active", true, Json::object());
    }
    const auto others_converged = [&] {
        return std::all_of(database->rows.begin(), database->rows.end(), [&](const auto& entry) {
            return print_uuid(entry.first) == poison || entry.second.observed == 2;
        });
    };
    const auto limit = Deadline::in(Milliseconds(10'000));
    while (!others_converged() && !limit.passed()) {
        daemon.turn();
        // As the due time of a retry does: the others come first.
        const std::lock_guard lock(database->mutex);
        if (row(0).attempts > 0) {
            row(0).due = false;
        }
    }
    EXPECT_TRUE(others_converged());
    EXPECT_FALSE(row(0).parked);
}

TEST_F(Worker, KeepsAFailureToItsTenant) {
    add(4);
    daemon.settle();
    server->fail = [](const Desired& desired, const Action&) -> std::optional<Failure> {
        if (desired.tenant == tenant_number(1)) {
            return Failure{FailureKind::permanent, "NamespaceLimit", "too many"};
        }
        return std::nullopt;
    };
    (void)daemon.work();
    EXPECT_TRUE(row(1).parked);
    EXPECT_EQ(row(1).reason, "NamespaceLimit");
    EXPECT_EQ(row(0).observed, 1);
    EXPECT_EQ(row(3).observed, 1);
    server->fail = [](const Desired&, const Action&) { return std::nullopt; };
    database->replay_parked();
    EXPECT_TRUE(converge());
}

TEST_F(Worker, ParksAfterSoManyTransientFailures) {
    add(1);
    daemon.settle();
    server->fail = [](const Desired&, const Action&) {
        return std::optional(Failure{FailureKind::transient, "Busy", "busy"});
    };
    for (int i = 0; i < 10; ++i) {
        (void)daemon.work();
    }
    EXPECT_TRUE(row(0).parked);
    EXPECT_EQ(row(0).attempts, 3);
}

TEST_F(Worker, WritesNothingOnceAnotherServerAnswers) {
    add(4);
    daemon.settle();
    ++server->connection;
    server->stamp = Stamp{Uuid{{99}}, "cache", 1, 1};
    EXPECT_FALSE(daemon.work());
    EXPECT_FALSE(daemon.gate().open);
    EXPECT_TRUE(daemon.gate().fenced);
    EXPECT_EQ(server->writes, 0);
    EXPECT_TRUE(row(0).due);
    for (int i = 0; i < 5; ++i) {
        daemon.turn();
    }
    EXPECT_EQ(server->writes, 0);
    EXPECT_EQ(daemon.gate().reason, "StampMismatch");
}

TEST_F(Worker, VerifiesAgainWhenTheServerChangesInTheMiddle) {
    add(4);
    daemon.settle();
    server->before = [this](std::string_view name) {
        if (name == "observe") {
            ++server->connection;
            server->stamp = Stamp{Uuid{{99}}, "cache", 1, 1};
        }
    };
    (void)daemon.work();
    EXPECT_EQ(server->writes, 0);
}

TEST_F(Worker, DoesNotTakeAStampForThatOfAServerItConnectedToOnlyThen) {
    add(1);
    daemon.settle();
    server->after = [this](std::string_view call) {
        if (call == "read_stamp" && server->connection == 1) {
            ++server->connection;
            server->stamp->instance = Uuid{{99}};
        }
    };
    (void)daemon.work();
    EXPECT_EQ(server->writes, 0);
    EXPECT_EQ(daemon.gate().reason, "StampMismatch");
}

// A clone is of the same epoch as its original, and may have come under the original's name.
TEST_F(Worker, FollowsNoOtherInstanceThatAnswersInTheDatabasesPlace) {
    add(1);
    daemon.settle();
    ASSERT_TRUE(converge());
    database->identity.id = Uuid{{99}};
    database->change(tenant_number(0), "erasing", false, Json::object());
    (void)daemon.work();
    EXPECT_TRUE(server->erased.empty());
    EXPECT_FALSE(daemon.surroundings.instance.view().may_write);
}

TEST_F(Worker, ObservesOnlyWhenTheDatabaseIsNotTheInstanceAnyMore) {
    add(4);
    daemon.settle();
    database->identity.live_timeline = 2;
    EXPECT_FALSE(daemon.work());
    EXPECT_FALSE(daemon.surroundings.instance.view().may_write);
    daemon.settle();
    EXPECT_EQ(daemon.surroundings.instance.view().reason, "IdentityMismatch");
    EXPECT_EQ(server->writes, 0);
}

TEST_F(Worker, IsNotLetByALookFromBeforeItWasFenced) {
    daemon.settle();
    ASSERT_TRUE(daemon.surroundings.instance.view().may_write);
    database->before = [this](std::string_view call) {
        if (call == "tick") {
            daemon.surroundings.instance.fence("StampMismatch", "seen meanwhile");
        }
    };
    daemon.instance.run_once();
    EXPECT_FALSE(daemon.surroundings.instance.view().may_write);
    database->before = [](std::string_view) {};
    daemon.instance.run_once();
    EXPECT_TRUE(daemon.surroundings.instance.view().may_write);
}

TEST_F(Worker, AppliesNothingAfterItsOwnEndOfTheLease) {
    ReconcileConfig config = quick_reconcile_config();
    config.lease = Milliseconds(0);
    Daemon frozen{database, server, config};
    add(4);
    frozen.settle();
    ASSERT_TRUE(frozen.gate().open);
    (void)frozen.work();
    EXPECT_EQ(server->writes, 0);
    EXPECT_EQ(row(0).attempts, 0);
    EXPECT_TRUE(row(0).due);
}

TEST_F(Worker, FollowsTemplatesThatChangedSinceTheyWereRead) {
    add(1);
    daemon.settle();
    ASSERT_TRUE(converge());
    database->definition.templates = std::make_shared<const Templates>(
        Templates{{"messages", CollectionTemplate{"messages", Json::object(), {}}}});
    ++database->definition.generation;
    row(0).due = true;
    (void)daemon.work();
    ASSERT_NE(shown(0), nullptr);
    EXPECT_TRUE(shown(0)->collections.contains("messages"));
    EXPECT_EQ(row(0).observed_store_generation, 2);
}

} // namespace
} // namespace tenancy::sidecar
