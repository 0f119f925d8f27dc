// What people and monitors read: tables, findings, status, metrics.
#include "base/printable.hpp"
#include "check/finding.hpp"
#include "command/status_text.hpp"
#include "command/terminal.hpp"
#include "service/metrics.hpp"
#include "service/readiness.hpp"

#include <nlohmann/json.hpp>
#include <gtest/gtest.h>

namespace tenancy::sidecar {
namespace {

TEST(TableTest, columns_line_up) {
    EXPECT_EQ(table_text({{"A", "LONG", "C"}, {"aaa", "é", "c"}, {"", "", ""}}),
              "A    LONG  C\naaa  é     c\n\n");
}

TEST(TableTest, rows_may_differ_in_length) {
    EXPECT_EQ(table_text({{"a"}, {"b", "c"}}), "a\nb  c\n");
}

TEST(PrintableTest, takes_control_characters_out) {
    EXPECT_EQ(printable("a\x1b[2Jb\nc\x7f"), "a [2Jb c ");
}

TEST(FindingsTest, counts_and_shows_next_steps) {
    Findings findings;
    findings.ok("one", "fine");
    findings.warning("two", "hm", "look");
    EXPECT_FALSE(findings.any_failed());
    findings.failed("three", "mongodb://me:hunter2@db", "act");
    EXPECT_TRUE(findings.any_failed());
    const std::string text = findings.text();
    EXPECT_NE(text.find("FAILED   three  mongodb://me:***@db\n                -> act\n"),
              std::string::npos)
        << text;
    EXPECT_NE(text.find("1 failed, 1 warnings, 1 ok\n"), std::string::npos);
    const auto json = nlohmann::json::parse(findings.json());
    EXPECT_EQ(json["failed"], 1);
    EXPECT_EQ(json["findings"][1]["next_step"], "look");
    EXPECT_EQ(json["findings"][2]["level"], "failed");
}

TEST(StatusTest, of_nothing) {
    EXPECT_EQ(
        status_text(nlohmann::json::object()),
        "No instance is bound yet.\n\nNo store is defined.\n\nNo daemon has been heard of.\n\n"
        "No alarms.\n");
}

TEST(StatusTest, of_a_copy) {
    const auto report = nlohmann::json::parse(R"({"instance": {"bound": true, "id": "x", "epoch": 3,
        "tick": 4, "bound_system_identifier": "1", "live_system_identifier": "2"}})");
    const std::string text = status_text(report);
    EXPECT_TRUE(text.starts_with("Instance x, epoch 3, tick 4\nTHIS SERVER IS NOT")) << text;
}

TEST(StatusTest, of_a_host_that_only_observes) {
    const auto report = nlohmann::json::parse(R"({"host": {"daemon": "a", "answers": true,
        "observes": true, "reason": "NotMember", "message": "not\nyet", "next_step": "join"},
        "stores": [{"name": "one", "kind": "redis", "reachable": true, "reported_by": "a"},
                   {"name": "two", "kind": "redis", "reachable": true, "reported_by": "b"}],
        "daemons": [{"name": "a"}, {"name": "b"}, {"name": "c", "silent": true}]})");
    const std::string text = status_text(report);
    EXPECT_NE(text.find("This host (a) ONLY OBSERVES: nothing is written to any store from here.\n"
                        "  NotMember: not yet\n  -> join\n\n"),
              std::string::npos)
        << text;
    for (const char* row :
         {"\none    redis  only observed  ", "\ntwo    redis  in service     ",
          "\na       -        -      only observes  ", "\nb       -        -      at work  ",
          "\nc       -        -      silent  "}) {
        EXPECT_NE(text.find(row), std::string::npos) << row << text;
    }
}

TEST(StatusTest, of_a_standby) {
    const auto report = nlohmann::json::parse(R"({"instance": {"bound": true, "id": "x",
        "in_recovery": true, "bound_timeline": 2, "live_timeline": 1},
        "host": {"daemon": "a", "answers": false, "observes": null, "message": "a standby"},
        "stores": [{"name": "one", "reachable": true}]})");
    const std::string text = status_text(report);
    EXPECT_NE(text.find("This host (a) is not known to write: a standby\n"
                        "This host (a) runs no daemon that answers.\n"),
              std::string::npos)
        << text;
    EXPECT_NE(text.find("in service"), std::string::npos) << text;
}

TEST(StatusTest, of_stores_and_alarms) {
    const auto report = nlohmann::json::parse(R"({"stores": [{"name": "cache", "kind": "redis",
        "reachable": false, "tenants": 3, "converged": 1, "due": 2, "stalled": 0,
        "oldest_due_seconds": 1.5, "rollout": {"reached": 1, "of": 3}, "unknown_objects": 0,
        "scan": {"finished_at": "2026-01-02T03:04:05.678+00:00"}}],
        "alarms": [{"alarm": "store_unreachable", "store": "cache", "message": "a\nb"}]})");
    const std::string text = status_text(report);
    EXPECT_NE(text.find("cache  redis  UNREACHABLE  3        1        2    0        1.5 s  1/3"),
              std::string::npos)
        << text;
    EXPECT_NE(text.find("2026-01-02 03:04:05\n"), std::string::npos) << text;
    EXPECT_NE(text.find("store_unreachable  cache  -       -      a b\n"), std::string::npos)
        << text;
}

TEST(StatusTest, says_how_many_alarms_there_are) {
    auto report = nlohmann::json::parse(R"({"alarms": [{"alarm": "a"}], "alarm_count": 1})");
    EXPECT_EQ(status_text(report).find(" more"), std::string::npos);
    report["alarm_count"] = 1235;
    EXPECT_TRUE(status_text(report).ends_with(
        "\nand 1234 more\n  -> SELECT * FROM tenancy.store_alarm ORDER BY since\n"))
        << status_text(report);
}

TEST(ReadinessTest, says_why_not) {
    const HttpAnswer answer = readiness_answer({false, false, {"postgresql: password=x is wrong"}});
    EXPECT_EQ(answer.status, 503);
    EXPECT_EQ(answer.body, "{\"ready\":false,\"observing\":false,\"reasons\":[\"postgresql: "
                           "password=*** is wrong\"]}\n");
    EXPECT_EQ(readiness_answer({true, true, {}}).status, 200);
    EXPECT_EQ(readiness_status({true, false, {}}), "in step");
    EXPECT_EQ(readiness_status({true, false, {"store a: b"}}), "not all in step: store a: b");
    EXPECT_EQ(readiness_status({true, true, {"a", "b"}}), "observing only: a; b");
}

TEST(ReadinessTest, no_store_gives_systemd_orders) {
    EXPECT_EQ(readiness_status({false, false, {"store x: no\nSTOPPING=1"}}),
              "not ready: store x: no STOPPING=1");
}

TEST(MetricsTest, buckets_add_up) {
    Statistics statistics;
    auto& histogram = statistics.apply_seconds.with({"cache"});
    for (const double seconds : {0.0005, 0.02, 1000.0}) {
        histogram.observe(seconds);
    }
    statistics.failures.with({"cache", "say \"no\""}).add(2);
    const std::string text = metrics_text(statistics, {"1.2", 5, true, false});
    for (const char* line :
         {"tenancyd_apply_seconds_bucket{store=\"cache\",le=\"0.001\"} 1\n",
          "tenancyd_apply_seconds_bucket{store=\"cache\",le=\"0.025\"} 2\n",
          "tenancyd_apply_seconds_bucket{store=\"cache\",le=\"60\"} 2\n",
          "tenancyd_apply_seconds_bucket{store=\"cache\",le=\"+Inf\"} 3\n",
          "tenancyd_apply_seconds_count{store=\"cache\"} 3\n",
          "tenancyd_failures_total{store=\"cache\",reason=\"say \\\"no\\\"\"} 2\n",
          "tenancyd_ready 1\n", "tenancyd_build_info{version=\"1.2\"} 1\n"}) {
        EXPECT_NE(text.find(line), std::string::npos) << line << text;
    }
}

} // namespace
} // namespace tenancy::sidecar
