#include "command/status_text.hpp"

#include <string_view>
#include <vector>

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

std::string instance_text(const json& instance) {
    if (!is_true(instance, "bound")) {
        return "No instance is bound yet.\n";
    }
    const bool matches =
        member(instance, "bound_system_identifier") == member(instance, "live_system_identifier") &&
        member(instance, "bound_database_oid") == member(instance, "live_database_oid") &&
        member(instance, "bound_timeline") == member(instance, "live_timeline");
    std::string shown = "Instance " + text(instance, "id") + ", epoch " + text(instance, "epoch") +
                        ", tick " + text(instance, "tick") + '\n';
    if (is_true(instance, "in_recovery")) {
        shown += "This server is a standby.\n";
    } else if (!matches) {
        shown += "THIS SERVER IS NOT THE ONE THAT WAS BOUND: see tenancyd adopt.\n";
    }
    return shown;
}

std::string state_of(const json& store) {
    if (text(store, "state") == "forgotten") {
        return "forgotten";
    }
    if (member(store, "reachable").is_null()) {
        return "not seen yet";
    }
    if (is_true(store, "fenced")) {
        return "only observed";
    }
    return is_true(store, "reachable") ? "in service" : "UNREACHABLE";
}

std::string rollout(const json& store) {
    const json& counts = member(store, "rollout");
    return text(counts, "reached") + '/' + text(counts, "of");
}

std::string lag(const json& store) {
    const std::string seconds = text(store, "oldest_due_seconds");
    return seconds == "-" ? "-" : seconds + " s";
}

Rows store_rows(const json& stores) {
    Rows rows{{"STORE", "KIND", "STATE", "TENANTS", "IN STEP", "DUE", "STALLED", "LAG", "TEMPLATES",
               "UNKNOWN", "LAST SCAN"}};
    for (const json& store : stores) {
        rows.push_back({text(store, "name"), text(store, "kind"), state_of(store),
                        text(store, "tenants"), text(store, "converged"), text(store, "due"),
                        text(store, "stalled"), lag(store), rollout(store),
                        text(store, "unknown_objects"),
                        moment(member(store, "scan"), "finished_at")});
    }
    return rows;
}

Rows daemon_rows(const json& daemons) {
    Rows rows{{"DAEMON", "VERSION", "EPOCH", "SINCE", "LAST SEEN"}};
    for (const json& daemon : daemons) {
        rows.push_back({text(daemon, "name"), text(daemon, "version"), text(daemon, "epoch"),
                        moment(daemon, "started_at"), moment(daemon, "seen_at")});
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

std::string table_or(const Rows& rows, std::string_view none) {
    return rows.size() > 1 ? table_text(rows) : std::string(none);
}

} // namespace

std::string status_text(const json& report) {
    return instance_text(member(report, "instance")) + '\n' +
           table_or(store_rows(member(report, "stores")), "No store is defined.\n") + '\n' +
           table_or(daemon_rows(member(report, "daemons")), "No daemon has been heard of.\n") +
           '\n' + table_or(alarm_rows(member(report, "alarms")), "No alarms.\n");
}

} // namespace tenancy::sidecar
