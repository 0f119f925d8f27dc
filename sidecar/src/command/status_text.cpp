#include "command/status_text.hpp"

#include <algorithm>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/printable.hpp"
#include "command/terminal.hpp"

namespace tenancy::sidecar {
namespace {

using nlohmann::json;
using Rows = std::vector<std::vector<std::string>>;

const json& member(const json& object, std::string_view key) {
    static const json none;
    const std::string name(key);
    return object.is_object() && object.contains(name) ? object[name] : none;
}

std::string text(const json& object, std::string_view key) {
    const json& value = member(object, key);
    if (value.is_null()) {
        return "-";
    }
    return printable(value.is_string() ? value.get<std::string>() : value.dump());
}

bool is_true(const json& object, std::string_view key) {
    return member(object, key) == json(true);
}

// "2026-01-02T03:04:05.678+00:00" without fractions and "T".
std::string moment(const json& object, std::string_view key) {
    std::string shown = text(object, key).substr(0, 19);
    if (shown.size() > 10) {
        shown[10] = ' ';
    }
    return shown;
}

// Another server or database than the one that was bound. A standby is none: its timeline may lag.
bool is_copy(const json& instance) {
    const bool matches =
        member(instance, "bound_system_identifier") == member(instance, "live_system_identifier") &&
        member(instance, "bound_database_oid") == member(instance, "live_database_oid") &&
        member(instance, "bound_timeline") == member(instance, "live_timeline");
    return is_true(instance, "bound") && !is_true(instance, "in_recovery") && !matches;
}

std::string instance_text(const json& instance) {
    if (!is_true(instance, "bound")) {
        return "No instance is bound yet.\n";
    }
    std::string shown = "Instance " + text(instance, "id") + ", epoch " + text(instance, "epoch") +
                        ", tick " + text(instance, "tick") + '\n';
    if (is_true(instance, "in_recovery")) {
        shown += "This server is a standby.\n";
    } else if (is_copy(instance)) {
        shown += "THIS SERVER IS NOT THE ONE THAT WAS BOUND: see tenancyd adopt.\n";
    }
    return shown;
}

std::string step(const json& host) {
    return member(host, "next_step").is_null() ? "" : "  -> " + text(host, "next_step") + '\n';
}

// What this host's daemon does; empty where the report does not say.
std::string host_text(const json& host) {
    if (host.is_null()) {
        return "";
    }
    const std::string name = "This host (" + text(host, "daemon") + ") ";
    std::string shown;
    if (is_true(host, "observes")) {
        shown += name + "ONLY OBSERVES: nothing is written to any store from here.\n  " +
                 text(host, "reason") + ": " + text(host, "message") + '\n' + step(host);
    } else if (member(host, "observes").is_null()) {
        shown += name + "is not known to write: " + text(host, "message") + '\n' + step(host);
    } else if (is_true(host, "answers")) {
        shown += name + "writes to the stores.\n";
    }
    if (member(host, "answers") == json(false)) {
        shown += name + "runs no daemon that answers.\n  -> systemctl status tenancyd\n";
    }
    return shown;
}

bool has_alarm(const json& report, std::string_view alarm) {
    const json& alarms = member(report, "alarms");
    return std::any_of(alarms.begin(), alarms.end(),
                       [&](const json& one) { return text(one, "alarm") == alarm; });
}

// The database has what was reported last: who only observes reports nothing any more.
bool only_observed(const json& report, const json& store) {
    const json& host = member(report, "host");
    return is_true(store, "fenced") || is_copy(member(report, "instance")) ||
           (is_true(host, "observes") && member(store, "reported_by") == member(host, "daemon"));
}

std::string state_of(const json& report, const json& store) {
    if (text(store, "state") == "forgotten") {
        return "forgotten";
    }
    if (member(store, "reachable").is_null()) {
        return "not seen yet";
    }
    if (only_observed(report, store)) {
        return "only observed";
    }
    if (!is_true(store, "reachable")) {
        return "UNREACHABLE";
    }
    if (text(store, "reason") != "-" && text(store, "reason") != "Ready") {
        return "NOT READY";
    }
    return has_alarm(report, "no_daemon") ? "no daemon" : "in service";
}

std::string state_of_daemon(const json& report, const json& daemon) {
    const json& instance = member(report, "instance");
    const json& host = member(report, "host");
    const bool is_this = member(host, "daemon") == member(daemon, "name");
    if ((is_this && is_true(host, "observes")) || is_copy(instance) ||
        member(daemon, "epoch") != member(instance, "epoch")) {
        return "only observes";
    }
    const bool no_answer = is_this && member(host, "answers") == json(false);
    return no_answer || is_true(daemon, "silent") ? "silent" : "at work";
}

std::string rollout(const json& store) {
    const json& counts = member(store, "rollout");
    return text(counts, "reached") + '/' + text(counts, "of");
}

std::string lag(const json& store) {
    const std::string seconds = text(store, "oldest_due_seconds");
    return seconds == "-" ? "-" : seconds + " s";
}

Rows store_rows(const json& report) {
    Rows rows{{"STORE", "KIND", "STATE", "TENANTS", "IN STEP", "DUE", "STALLED", "LAG", "TEMPLATES",
               "UNKNOWN", "LAST SCAN"}};
    for (const json& store : member(report, "stores")) {
        rows.push_back({text(store, "name"), text(store, "kind"), state_of(report, store),
                        text(store, "tenants"), text(store, "converged"), text(store, "due"),
                        text(store, "stalled"), lag(store), rollout(store),
                        text(store, "unknown_objects"),
                        moment(member(store, "scan"), "finished_at")});
    }
    return rows;
}

Rows daemon_rows(const json& report) {
    Rows rows{{"DAEMON", "VERSION", "EPOCH", "STATE", "SINCE", "LAST SEEN"}};
    for (const json& daemon : member(report, "daemons")) {
        rows.push_back({text(daemon, "name"), text(daemon, "version"), text(daemon, "epoch"),
                        state_of_daemon(report, daemon), moment(daemon, "started_at"),
                        moment(daemon, "seen_at")});
    }
    return rows;
}

Rows alarm_rows(const json& alarms) {
    Rows rows{{"ALARM", "STORE", "TENANT", "SINCE", "MESSAGE"}};
    for (const json& alarm : alarms) {
        rows.push_back({text(alarm, "alarm"), text(alarm, "store"), text(alarm, "slug"),
                        moment(alarm, "since"), text(alarm, "message")});
    }
    return rows;
}

// The report has the oldest.
std::string further_alarms(const json& report) {
    const json& count = member(report, "alarm_count");
    const auto shown = member(report, "alarms").size();
    if (!count.is_number_integer() || count.get<std::size_t>() <= shown) {
        return "";
    }
    return "and " + std::to_string(count.get<std::size_t>() - shown) +
           " more\n  -> SELECT * FROM tenancy.store_alarm ORDER BY since\n";
}

std::string table_or(const Rows& rows, std::string_view none) {
    return rows.size() > 1 ? table_text(rows) : std::string(none);
}

} // namespace

std::string status_text(const json& report) {
    return instance_text(member(report, "instance")) + host_text(member(report, "host")) + '\n' +
           table_or(store_rows(report), "No store is defined.\n") + '\n' +
           table_or(daemon_rows(report), "No daemon has been heard of.\n") + '\n' +
           table_or(alarm_rows(member(report, "alarms")), "No alarms.\n") + further_alarms(report);
}

} // namespace tenancy::sidecar
