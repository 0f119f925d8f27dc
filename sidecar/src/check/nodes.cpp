// The PostgreSQL servers: each by itself, then whether they fit together.
#include <map>

#include "base/failure.hpp"
#include "check/checks.hpp"
#include "command/next_step.hpp"
#include "postgres/connection.hpp"

namespace tenancy::sidecar {
namespace {

constexpr long oldest_version = 15;
constexpr long newest_version = 18;

// What one statement tells about a node, as the columns of its row.
using Facts = std::map<std::string, Field>;

struct Node {
    std::string name;
    std::string conninfo;
    bool is_main = false;
};

// pg_settings knows tenancy.guard only where the library was loaded before the first command.
constexpr const char* server_query = R"(
SELECT current_setting('server_version') AS version,
       current_setting('server_version_num')::integer / 10000 AS major,
       pg_is_in_recovery() AS in_recovery,
       current_setting('wal_level') AS wal_level,
       current_setting('default_transaction_read_only') AS read_only,
       (SELECT system_identifier::text FROM pg_control_system()) AS system_identifier,
       extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())::bigint AS replay_age,
       CASE WHEN pg_is_in_recovery() THEN pg_is_wal_replay_paused() END AS replay_paused,
       (SELECT default_version FROM pg_available_extensions WHERE name = 'tenancy') AS available,
       (SELECT extversion FROM pg_extension WHERE extname = 'tenancy') AS installed,
       EXISTS (SELECT FROM pg_settings WHERE name = 'tenancy.guard') AS preloaded,
       EXISTS (SELECT FROM pg_db_role_setting AS s, unnest(s.setconfig) AS c(setting)
               WHERE s.setrole = 0 AND c.setting ~ '^session_preload_libraries=.*\mtenancy\M'
                 AND s.setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database()))
           AS by_session,
       current_user AS role,
       (SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user) AS too_strong
)";

Facts facts_of(Connection& connection, const char* query) {
    const Rows rows = connection.execute(query);
    Facts facts;
    for (std::size_t i = 0; i < rows.columns.size(); ++i) {
        facts[rows.columns[i]] = rows.rows.at(0).at(i);
    }
    return facts;
}

std::string text(const Facts& facts, const char* name) {
    return facts.at(name).value_or("");
}

bool is_true(const Facts& facts, const char* name) {
    return facts.at(name) == "t";
}

void check_version(const Node& node, const Facts& facts, Findings& findings) {
    const long major = std::stol(text(facts, "major"));
    const std::string what = "PostgreSQL " + text(facts, "version");
    if (major < oldest_version || major > newest_version) {
        findings.failed(node.name, what + " is not supported", "use PostgreSQL 15 to 18");
    } else {
        findings.ok(node.name, "reachable, " + what);
    }
}

void check_library(const Node& node, const Facts& facts, Findings& findings) {
    if (!facts.at("available")) {
        findings.failed(node.name, "the extension's files are not installed",
                        "install the package on this node before anything else");
        return;
    }
    if (!is_true(facts, "preloaded")) {
        findings.failed(node.name, "the library is not preloaded",
                        "add tenancy to shared_preload_libraries and restart the server");
        return;
    }
    findings.ok(node.name, is_true(facts, "by_session")
                               ? "library preloaded by the database's session_preload_libraries"
                               : "library preloaded");
}

void check_extension(const Node& node, const Facts& facts, Findings& findings) {
    const std::string installed = text(facts, "installed");
    const std::string available = text(facts, "available");
    if (installed.empty()) {
        findings.failed(node.name, "the extension is not in this database",
                        "connect as superuser to the right database: CREATE EXTENSION tenancy");
    } else if (!available.empty() && installed != available) {
        findings.warning(node.name,
                         "the database has extension " + installed +
                             ", the files on this node are " + available,
                         "update the files on every node, then ALTER EXTENSION tenancy UPDATE");
    } else {
        findings.ok(node.name, "extension " + installed);
    }
}

void check_primary(const Node& node, const Facts& facts, Findings& findings) {
    if (is_true(facts, "in_recovery")) {
        findings.failed(node.name, "the server of [postgres] conninfo is a standby",
                        "name the primary, or all hosts with target_session_attrs=read-write");
    } else if (text(facts, "read_only") == "on") {
        findings.failed(node.name, "default_transaction_read_only is on",
                        "ALTER ROLE \"" + text(facts, "role") +
                            "\" SET default_transaction_read_only = off");
    } else if (text(facts, "wal_level") == "minimal") {
        findings.warning(node.name, "wal_level is minimal: no standby, no point-in-time recovery",
                         "set wal_level = replica and restart the server");
    } else {
        findings.ok(node.name, "primary, wal_level " + text(facts, "wal_level"));
    }
}

void check_standby(const Node& node, const Facts& facts, Findings& findings) {
    if (is_true(facts, "replay_paused")) {
        findings.warning(node.name, "replay is paused on this standby",
                         "SELECT pg_wal_replay_resume() there");
        return;
    }
    const std::string age = text(facts, "replay_age");
    findings.ok(node.name,
                age.empty() ? "hot standby"
                            : "hot standby, the last transaction it has is of " + age + " s ago");
}

void check_role(const Node& node, Connection& connection, const Facts& facts, Findings& findings) {
    const std::string role = '"' + text(facts, "role") + '"';
    if (is_true(facts, "too_strong")) {
        findings.warning(node.name, "role " + role + " is a superuser or has BYPASSRLS",
                         "give tenancyd a login role with tenancy_sidecar and nothing else");
        return;
    }
    const Facts operators =
        facts_of(connection, "SELECT tenancy.is_operator('sidecar') AS is_sidecar");
    if (is_true(operators, "is_sidecar")) {
        findings.ok(node.name, "role " + role + " is an operator of kind sidecar");
    } else {
        findings.failed(node.name, "role " + role + " is no operator of kind sidecar",
                        "GRANT tenancy_sidecar TO " + role + "; SELECT tenancy.add_operator('" +
                            role + "', 'sidecar')");
    }
}

Facts check_node(const Config& config, const Node& node, Findings& findings) {
    Connection connection(config.postgres, node.conninfo, "tenancyd check", ServerRole::any);
    Facts facts = facts_of(connection, server_query);
    check_version(node, facts, findings);
    check_library(node, facts, findings);
    check_extension(node, facts, findings);
    if (node.is_main || !is_true(facts, "in_recovery")) {
        check_primary(node, facts, findings);
    } else {
        check_standby(node, facts, findings);
    }
    if (facts.at("installed")) {
        check_role(node, connection, facts, findings);
    }
    return facts;
}

// Nothing when it could not be asked, which has been told then.
std::optional<Facts> try_node(const Config& config, const Node& node, Findings& findings) {
    try {
        return check_node(config, node, findings);
    } catch (const Unavailable& error) {
        findings.failed(
            node.name, error.what(),
            step_for_login(error, node.is_main ? "[postgres] conninfo" : "[postgres] nodes"));
    } catch (const SqlError& error) {
        findings.failed(node.name, error.what() + (" (" + error.sqlstate() + ")"),
                        step_for_sql(error, "sidecar"));
    }
    return std::nullopt;
}

std::vector<Node> nodes_of(const Config& config) {
    std::vector<Node> nodes{{"postgres", config.postgres.conninfo, true}};
    for (const std::string& conninfo : config.postgres.nodes) {
        nodes.push_back({"node " + std::to_string(nodes.size()), conninfo, false});
    }
    return nodes;
}

void compare(const Node& node, const Facts& facts, const Facts& main, Findings& findings) {
    if (text(facts, "system_identifier") != text(main, "system_identifier")) {
        findings.failed(node.name, "this server is of another cluster than [postgres] conninfo",
                        "correct [postgres] nodes: all of them are copies of one primary");
    } else if (facts.at("available") != main.at("available")) {
        findings.failed(node.name,
                        "the files are of version " + text(facts, "available") +
                            ", on the primary of " + text(main, "available"),
                        "install the same package on every node");
    }
}

} // namespace

void check_nodes(const Config& config, Findings& findings) {
    std::optional<Facts> main;
    for (const Node& node : nodes_of(config)) {
        const std::optional<Facts> facts = try_node(config, node, findings);
        if (node.is_main) {
            main = facts;
        } else if (facts && main) {
            compare(node, *facts, *main, findings);
        }
    }
    if (config.postgres.nodes.empty()) {
        findings.warning("nodes", "[postgres] nodes names no node: standbys were not looked at",
                         "list the conninfo of every node there, the primary's too");
    }
}

} // namespace tenancy::sidecar
