// Tenants over which the store does not answer in time: they are charged, and nobody waits for
// them.
#include <algorithm>
#include <future>
#include <set>

#include <nlohmann/json.hpp>
#include <gtest/gtest.h>

#include "reconcile/suspects.hpp"
#include "reconciling.hpp"

namespace tenancy::sidecar {
namespace {

void hang() {
    throw Unavailable("TimedOut", "no answer in time");
}

TEST(Patience, IsForManyAShareOfACallAndForOneMoreWithEveryFailure) {
    EXPECT_EQ(patience_with_many(Milliseconds(10'000)), Milliseconds(2'000));
    EXPECT_EQ(patience_with_many(Milliseconds(100)), Milliseconds(1'000));
    EXPECT_EQ(patience_with_one(Milliseconds(10'000), 0), Milliseconds(1'000));
    EXPECT_EQ(patience_with_one(Milliseconds(10'000), 3), Milliseconds(8'000));
    EXPECT_EQ(patience_with_one(Milliseconds(100), 0), Milliseconds(500));
    EXPECT_GT(patience_with_one(Milliseconds(10'000), 1'000'000), Milliseconds(1'000'000));
}

class Hanging : public OneStore {
protected:
    void SetUp() override {
        add(8);
        daemon.settle();
        ASSERT_TRUE(converge());
        server->look = [this](const Desired& desired) {
            if (hanging.contains(desired.tenant.bytes)) {
                hang();
            }
        };
    }
    void let_hang(std::initializer_list<unsigned> numbers) {
        for (const auto number : numbers) {
            hanging.insert(tenant_number(number).bytes);
        }
    }
    void change(unsigned first, unsigned last, const std::string& state) {
        for (unsigned i = first; i <= last; ++i) {
            database->change(tenant_number(i), state, state != "erasing", Json::object());
        }
    }
    bool reached(unsigned first, unsigned last) {
        for (unsigned i = first; i <= last; ++i) {
            if (row(i).observed != database->tenants.at(tenant_number(i)).generation) {
                return false;
            }
        }
        return true;
    }
    // Until those with these numbers are in step; each turn finds the store in service.
    void work_until_reached(unsigned first, unsigned last) {
        for (int turns = 0; turns < 10 && !reached(first, last); ++turns) {
            (void)daemon.work();
            ASSERT_GT(daemon.contexts.front()->breaker.allowed(Task::keep), 0U);
        }
        ASSERT_TRUE(reached(first, last));
        EXPECT_EQ(daemon.statistics.unavailable.with({"cache"}).value(), 0U);
    }
    [[nodiscard]] bool looked_together(unsigned one, unsigned other) const {
        return std::any_of(server->looks.begin(), server->looks.end(), [&](const auto& look) {
            return std::count(look.begin(), look.end(), tenant_number(one)) > 0 &&
                   std::count(look.begin(), look.end(), tenant_number(other)) > 0;
        });
    }

    std::set<decltype(Uuid::bytes)> hanging;
};

TEST_F(Hanging, TenantsAreChargedAndTheOthersGoOn) {
    let_hang({0, 1, 2});
    change(0, 7, "suspended");
    work_until_reached(3, 7);
    for (unsigned i = 0; i < 3; ++i) {
        EXPECT_GE(row(i).attempts, 1);
        EXPECT_EQ(row(i).reason, "TimedOut");
        EXPECT_FALSE(row(i).parked);
    }
}

TEST_F(Hanging, TenantsAreLookedAtAloneFromThenOnUntilTheyAnswer) {
    let_hang({0});
    change(0, 3, "suspended");
    work_until_reached(1, 3);
    server->looks.clear();
    change(0, 3, "active");
    work_until_reached(1, 3);
    EXPECT_FALSE(looked_together(0, 1) || looked_together(0, 2) || looked_together(0, 3));
    hanging.clear();
    work_until_reached(0, 3);
    for (int turns = 0; turns < 5 && !looked_together(0, 1); ++turns) {
        change(0, 7, "suspended");
        work_until_reached(0, 7);
    }
    EXPECT_TRUE(looked_together(0, 1));
}

TEST_F(Hanging, TenantsThatAnsweredOnceInVainAreNeverParked) {
    let_hang({0});
    change(0, 0, "suspended");
    for (int i = 0; i < 10; ++i) {
        (void)daemon.work();
    }
    EXPECT_GT(row(0).attempts, 3);
    EXPECT_FALSE(row(0).parked);
}

TEST_F(Hanging, OnesAreTriedOneInARound) {
    let_hang({0, 1, 2});
    change(0, 3, "suspended");
    work_until_reached(3, 3);
    server->looks.clear();
    (void)daemon.work();
    EXPECT_EQ(server->looks.size(), 1U);
}

TEST_F(Hanging, OnesAreLeftToTheWorkerThatIsAtOne) {
    let_hang({0});
    change(0, 3, "suspended");
    work_until_reached(1, 3);
    std::promise<void> taken;
    std::promise<void> over;
    auto other = std::async(std::launch::async, [&] {
        const auto turn = daemon.contexts.front()->suspects.take_turn(Task::keep);
        taken.set_value();
        over.get_future().wait();
    });
    taken.get_future().wait();
    change(0, 3, "active");
    const auto attempts = row(0).attempts;
    work_until_reached(1, 3);
    EXPECT_EQ(row(0).attempts, attempts);
    EXPECT_NE(row(0).token, 0) << "left until the lease is over";
    over.set_value();
    other.wait();
    database->expire_leases();
    hanging.clear();
    work_until_reached(0, 3);
}

// An erasure takes long: who waits for one is to be erased, too.
TEST_F(Hanging, OnesAreNotLeftToTheThreadThatErases) {
    const auto erasing = daemon.contexts.front()->suspects.take_turn(Task::erase);
    let_hang({0});
    change(0, 0, "suspended");
    (void)daemon.work();
    hanging.clear();
    row(0).due = true;
    (void)daemon.work();
    EXPECT_TRUE(reached(0, 0));
}

TEST_F(Hanging, AnErasureDoesNotSlowTheOthers) {
    server->fail = [](const Desired&, const Action& action) -> std::optional<Failure> {
        if (action.kind == Action::Kind::erase) {
            hang();
        }
        return std::nullopt;
    };
    change(0, 3, "erasing");
    const auto before = daemon.contexts.front()->breaker.allowed(Task::keep);
    (void)daemon.eraser.run_once();
    EXPECT_GE(row(0).attempts, 1);
    EXPECT_EQ(daemon.contexts.front()->breaker.allowed(Task::keep), before);
    EXPECT_GT(before, 1U);
}

TEST_F(Hanging, ManyInVainAreFollowedByOneAtATime) {
    let_hang({0});
    change(0, 3, "suspended");
    (void)daemon.worker.run_once();
    EXPECT_EQ(daemon.contexts.front()->breaker.allowed(Task::keep), 1U);
}

TEST_F(Hanging, OnesThatAreWrittenToAreChargedToo) {
    server->fail = [](const Desired& desired, const Action&) -> std::optional<Failure> {
        if (desired.tenant == tenant_number(0)) {
            hang();
        }
        return std::nullopt;
    };
    change(0, 3, "suspended");
    work_until_reached(1, 3);
    EXPECT_GE(row(0).attempts, 1);
    EXPECT_EQ(row(0).reason, "TimedOut");
}

TEST_F(Hanging, ErasingKeepsNobodyElsesFromBeingDone) {
    server->fail = [](const Desired& desired, const Action& action) -> std::optional<Failure> {
        if (action.kind == Action::Kind::erase && desired.tenant == tenant_number(0)) {
            hang();
        }
        return std::nullopt;
    };
    change(0, 3, "erasing");
    work_until_reached(1, 3);
    EXPECT_EQ(row(3).proofs, 1);
    EXPECT_EQ(row(0).proofs, 0);
    EXPECT_GE(row(0).attempts, 1);
}

// Behind a connection that was given up may be another server.
TEST_F(Hanging, OnesLetNothingBeErasedOnAServerThatWasNotVerified) {
    server->fail = [this](const Desired& desired, const Action&) -> std::optional<Failure> {
        if (desired.tenant == tenant_number(0)) {
            ++server->connection;
            server->stamp->instance = Uuid{{99}};
            hang();
        }
        return std::nullopt;
    };
    change(0, 3, "erasing");
    (void)daemon.work();
    EXPECT_TRUE(server->erased.empty());
    EXPECT_EQ(row(1).proofs, 0);
    EXPECT_EQ(daemon.gate().reason, "StampMismatch");
}

TEST_F(Hanging, TenantsAreLookedAtAloneAlsoWhereTheServerItselfGivesUp) {
    server->fail = [](const Desired& desired, const Action&) -> std::optional<Failure> {
        return desired.tenant == tenant_number(0)
                   ? std::optional(Failure{FailureKind::transient, "TimedOut", ""})
                   : std::nullopt;
    };
    change(0, 3, "suspended");
    work_until_reached(1, 3);
    for (int i = 0; i < 2; ++i) { // in vain once more, when it is alone
        server->looks.clear();
        change(0, 3, i == 0 ? "active" : "suspended");
        work_until_reached(1, 3);
        EXPECT_FALSE(looked_together(0, 1) || looked_together(0, 2) || looked_together(0, 3));
    }
}

TEST_F(Hanging, OnesAreNotThoseOfAStoreThatIsAway) {
    server->before = [](std::string_view) { hang(); };
    ++server->connection;
    change(0, 3, "suspended");
    (void)daemon.work();
    EXPECT_EQ(daemon.contexts.front()->breaker.allowed(Task::keep), 0U);
    server->before = [this](std::string_view call) { // between the verification and the look
        if (call == "observe") {
            server->before = [](std::string_view) { hang(); };
            hang();
        }
    };
    daemon.settle();
    (void)daemon.work();
    EXPECT_EQ(daemon.contexts.front()->breaker.allowed(Task::keep), 0U);
    for (unsigned i = 0; i < 4; ++i) {
        EXPECT_EQ(row(i).attempts, 0);
        EXPECT_TRUE(row(i).due);
    }
}

TEST_F(Hanging, NobodyKeepsASuspensionOfTheSameBatchWaiting) {
    let_hang({0});
    change(0, 2, "active");
    change(3, 3, "suspended");
    server->looks.clear();
    (void)daemon.work();
    ASSERT_FALSE(server->looks.empty());
    EXPECT_EQ(server->looks.front(), std::vector<Uuid>{tenant_number(3)});
    EXPECT_EQ(row(3).observed, 2);
}

} // namespace
} // namespace tenancy::sidecar
