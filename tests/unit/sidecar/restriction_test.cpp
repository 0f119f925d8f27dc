// What takes something away from a tenant is shown, and told to have been shown, whatever else
// fails.
#include <nlohmann/json.hpp>
#include <gtest/gtest.h>

#include "reconciling.hpp"

namespace tenancy::sidecar {
namespace {

class Restriction : public OneStore {
protected:
    void SetUp() override {
        add(2);
        daemon.settle();
        ASSERT_TRUE(converge());
    }
    // Suspends the tenant, whose steps of that kind fail.
    void suspend(unsigned number, Action::Kind failing) {
        server->fail = [=](const Desired& desired, const Action& action) {
            const bool fails = desired.tenant == tenant_number(number) && action.kind == failing;
            return fails ? std::optional(Failure{FailureKind::transient, "Refused", ""})
                         : std::nullopt;
        };
        database->change(tenant_number(number), "suspended", true, Json::object());
        daemon.settle();
        (void)daemon.work();
    }
};

TEST_F(Restriction, IsToldThoughALaterStepFailed) {
    want_a_collection();
    suspend(0, Action::Kind::create_collection);
    EXPECT_EQ(row(0).state, "suspended");
    EXPECT_EQ(row(0).reason, "Refused");
    EXPECT_EQ(row(0).observed, 1);
}

TEST_F(Restriction, IsNotToldWhereItWasNotShown) {
    suspend(0, Action::Kind::publish);
    EXPECT_EQ(row(0).state, "provisioning") << "as it was found";
}

TEST_F(Restriction, IsToldByWhoFindsItShown) {
    want_a_collection();
    suspend(0, Action::Kind::create_collection);
    row(0).state.clear(); // as if the report had been lost
    row(0).due = true;
    (void)daemon.work();
    EXPECT_EQ(row(0).state, "suspended");
}

TEST_F(Restriction, IsNotToldInWordsThatAreNoStates) {
    shown(0)->marker = Marker{database->identity.id, 1, "whatever"};
    suspend(0, Action::Kind::publish);
    EXPECT_EQ(row(0).state, "provisioning") << "as it was told before";
}

TEST_F(Restriction, IsShownWithoutSettingsThatCannotBeRead) {
    const auto unreadable = Json::parse("1e999", nullptr, false);
    database->change(tenant_number(0), "suspended", true, unreadable);
    database->change(tenant_number(1), "active", true, unreadable);
    (void)daemon.work();
    EXPECT_EQ(shown(0)->marker, (Marker{database->identity.id, 2, "suspended"}));
    EXPECT_EQ(shown(0)->settings, JsonValue());
    EXPECT_EQ(row(0).state, "suspended");
    EXPECT_EQ(shown(1)->marker, (Marker{database->identity.id, 1, "provisioning"}));
    for (unsigned i = 0; i < 2; ++i) {
        EXPECT_EQ(row(i).reason, "SettingsUnreadable");
        EXPECT_TRUE(row(i).parked);
    }
    ASSERT_TRUE(daemon.scanner.run_once(daemon.beat));
    EXPECT_EQ(daemon.statistics.scan_differing.with({"cache"}).value(), 2U);
}

// Whoever may make views or hold locks in the tenant's place could keep it back otherwise.
TEST_F(Restriction, IsShownBeforeTheCollectionsAreLookedAt) {
    want_a_collection();
    daemon.settle();
    ASSERT_TRUE(converge());
    server->look = [](const Desired& desired) {
        if (!desired.templates->empty() && desired.tenant == tenant_number(0)) {
            throw Unavailable("TimedOut", "no answer in time");
        }
    };
    server->unreadable = [](const Desired& desired) -> std::optional<Failure> {
        if (!desired.templates->empty() && desired.tenant == tenant_number(1)) {
            return Failure{FailureKind::permanent, "Refused", "a view"};
        }
        return std::nullopt;
    };
    for (unsigned i = 0; i < 2; ++i) {
        database->change(tenant_number(i), "suspended", true, Json::object());
    }
    (void)daemon.work();
    for (unsigned i = 0; i < 2; ++i) {
        EXPECT_EQ(shown(i)->marker->state, "suspended");
        EXPECT_EQ(row(i).state, "suspended");
    }
    EXPECT_EQ(row(0).reason, "TimedOut");
    EXPECT_TRUE(row(1).parked);
}

TEST_F(Restriction, ThatWasRepairedCountsAsDriftThoughThereAreTwoLooks) {
    want_a_collection();
    database->change(tenant_number(0), "suspended", true, Json::object());
    daemon.settle();
    ASSERT_TRUE(converge());
    shown(0)->marker->state = "active"; // somebody else wrote that
    ASSERT_TRUE(daemon.scanner.run_once(daemon.beat));
    ASSERT_TRUE(converge());
    EXPECT_EQ(shown(0)->marker->state, "suspended");
    EXPECT_EQ(daemon.statistics.drifted.with({"cache"}).value(), 1U);
}

// The store may have done it, and then the tenant is not cut off any more.
TEST_F(Restriction, ThatEndedIsNotToldOfAResumptionWithoutAnAnswer) {
    database->change(tenant_number(0), "suspended", true, Json::object());
    ASSERT_TRUE(converge());
    row(0).state.clear(); // of what is told from now on only
    database->change(tenant_number(0), "active", true, Json::object());
    server->after = [](std::string_view step) {
        if (step == "publish") {
            throw Unavailable("TimedOut", "no answer in time");
        }
    };
    (void)daemon.work();
    EXPECT_EQ(shown(0)->marker->state, "active");
    EXPECT_EQ(row(0).reason, "TimedOut");
    EXPECT_EQ(row(0).state, "");
}

TEST_F(Restriction, ThatEndedIsNotToldOfAResumptionWhoseOutcomeTheStoreDoesNotKnow) {
    database->change(tenant_number(0), "suspended", true, Json::object());
    ASSERT_TRUE(converge());
    row(0).state.clear();
    server->fail = [](const Desired&, const Action&) {
        return std::optional(Failure{FailureKind::transient, "TimedOut", "code 50"});
    };
    database->change(tenant_number(0), "active", true, Json::object());
    (void)daemon.work();
    EXPECT_EQ(row(0).reason, "TimedOut");
    EXPECT_EQ(row(0).state, "");
}

} // namespace
} // namespace tenancy::sidecar
