// What PostgreSQL is told of a batch, and what becomes of the batch where it refuses that.
#include <nlohmann/json.hpp>
#include <gtest/gtest.h>

#include "reconciling.hpp"

namespace tenancy::sidecar {
namespace {

class Reporting : public OneStore {
protected:
    // The first calls of report() are refused; `reports` counts all from now on.
    void refuse_reports(int count, const std::string& sqlstate) {
        reports = 0;
        database->before = [this, count, sqlstate](std::string_view call) {
            if (call == "report" && reports++ < count) {
                throw SqlError(sqlstate, "refused by the test", "", "");
            }
        };
    }

    int reports = 0;
};

TEST_F(Reporting, IsRefusedTheReportOfALeaseThatItLost) {
    add(1);
    daemon.settle();
    server->before = [this](std::string_view name) {
        if (name == "publish") {
            server->before = [](std::string_view) {};
            database->expire_leases();
        }
    };
    (void)daemon.work();
    EXPECT_EQ(daemon.statistics.leases_lost.with({"cache"}).value(), 1U);
    EXPECT_EQ(row(0).observed, 0);
    EXPECT_TRUE(converge());
}

TEST_F(Reporting, ReportsOneByOneWhenABatchIsRefused) {
    for (const auto* sqlstate : {"22P05", "TN028"}) {
        database->rows.clear();
        add(4);
        daemon.settle();
        refuse_reports(2, sqlstate);
        (void)daemon.work();
        EXPECT_EQ(reports, 5) << sqlstate; // the batch, and each of four
        EXPECT_EQ(row(0).observed, 0) << sqlstate;
        EXPECT_EQ(row(3).observed, 1) << sqlstate;
    }
    EXPECT_EQ(daemon.statistics.reports_refused.with({"cache"}).value(), 2U);
}

TEST_F(Reporting, GoesOnWithTheOthersWhenTheOnlyReportOfAStepIsRefused) {
    add(4);
    daemon.settle();
    ASSERT_TRUE(converge());
    for (unsigned i = 0; i < 4; ++i) { // the suspension goes first, by itself
        database->change(tenant_number(i), i == 0 ? "suspended" : "active", true, Json::object());
    }
    refuse_reports(1, "22P05");
    (void)daemon.work();
    EXPECT_EQ(row(0).observed, 1);
    EXPECT_NE(row(0).token, 0) << "it is not tried again before its lease is over";
    for (unsigned i = 1; i < 4; ++i) {
        EXPECT_EQ(row(i).observed, 2) << i;
    }
    EXPECT_EQ(daemon.statistics.reports_refused.with({"cache"}).value(), 1U);
    database->expire_leases();
    EXPECT_TRUE(converge());
}

TEST_F(Reporting, GivesUpTheRoundWhereItsReportIsRefusedForNotBeingTheInstance) {
    add(4);
    daemon.settle();
    refuse_reports(1, "TN026");
    EXPECT_FALSE(daemon.work());
    EXPECT_EQ(reports, 1);
    EXPECT_FALSE(daemon.surroundings.instance.view().may_write);
    EXPECT_EQ(row(0).token, 0);
}

} // namespace
} // namespace tenancy::sidecar
