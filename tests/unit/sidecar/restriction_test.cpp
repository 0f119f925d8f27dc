// What takes something away from a tenant is shown, and told to have been shown, whatever else
// fails.
#include <gtest/gtest.h>

#include "reconciling.hpp"

namespace tenancy::sidecar {
namespace {

class Restriction : public ::testing::Test {
protected:
    void SetUp() override {
        for (unsigned i = 0; i < 2; ++i) {
            database->add(tenant_number(i));
        }
        daemon.settle();
        ASSERT_TRUE(converge());
    }
    bool converge() {
        for (int turns = 0; turns < 100 && !database->converged(); ++turns) {
            daemon.turn();
        }
        return database->converged();
    }
    void want_a_collection() {
        database->definition.templates = std::make_shared<const Templates>(
            Templates{{"messages", CollectionTemplate{"messages", Json::object(), {}}}});
        ++database->definition.generation;
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
    FakeDatabase::Row& row(unsigned number) { return database->rows.at(tenant_number(number)); }
    FakeServer::Tenant& shown(unsigned number) {
        return server->tenants.at(print_uuid(tenant_number(number)));
    }

    std::shared_ptr<FakeDatabase> database = std::make_shared<FakeDatabase>("cache");
    std::shared_ptr<FakeServer> server = std::make_shared<FakeServer>();
    Daemon daemon{database, server};
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
    shown(0).marker = Marker{database->identity.id, 1, "whatever"};
    suspend(0, Action::Kind::publish);
    EXPECT_EQ(row(0).state, "provisioning") << "as it was told before";
}

TEST_F(Restriction, IsShownWithoutSettingsThatCannotBeRead) {
    const auto unreadable = Json::parse("1e999", nullptr, false);
    database->change(tenant_number(0), "suspended", true, unreadable);
    database->change(tenant_number(1), "active", true, unreadable);
    (void)daemon.work();
    EXPECT_EQ(shown(0).marker, (Marker{database->identity.id, 2, "suspended"}));
    EXPECT_EQ(shown(0).settings, Json::object());
    EXPECT_EQ(row(0).state, "suspended");
    EXPECT_EQ(shown(1).marker, (Marker{database->identity.id, 1, "provisioning"}));
    for (unsigned i = 0; i < 2; ++i) {
        EXPECT_EQ(row(i).reason, "SettingsUnreadable");
        EXPECT_TRUE(row(i).parked);
    }
    ASSERT_TRUE(daemon.scanner.run_once(daemon.beat));
    EXPECT_EQ(daemon.statistics.scan_differing.with({"cache"}).value(), 2U);
}

} // namespace
} // namespace tenancy::sidecar
