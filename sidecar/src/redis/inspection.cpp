#include "redis/inspection.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <sstream>

#include <nlohmann/json.hpp>

#include "base/failure.hpp"
#include "redis/keys.hpp"
#include "redis/refusal.hpp"
#include "redis/scripts.hpp"

namespace tenancy::sidecar::redis {
namespace {

using Info = std::map<std::string, std::string>; // "name:value" lines

Info parse_info(const std::string& text) {
    Info info;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        if (line.ends_with('\r')) {
            line.pop_back();
        }
        const auto colon = line.find(':');
        if (colon != std::string::npos) {
            info[line.substr(0, colon)] = line.substr(colon + 1);
        }
    }
    return info;
}

// The first of the addresses that answers, whatever it is.
Reply ask_any(const std::vector<Address>& addresses, const Access& access, const Words& command,
              Deadline deadline) {
    std::optional<Unavailable> last;
    for (std::size_t i = 0; i < addresses.size(); i++) {
        const auto share = deadline.left() / static_cast<int>(addresses.size() - i);
        const auto limit = deadline.sooner(Deadline::in(share));
        try {
            return Connection(addresses[i], access, limit).exchange(command, limit);
        } catch (const Unavailable& error) {
            last = error;
        }
    }
    throw last ? *last : Unavailable("NoPrimary", "the store has no addresses");
}

class Inspection {
public:
    Inspection(const StoreConfig& config, const Access& access, Nodes& nodes, Deadline deadline)
        : config_(config), access_(access), nodes_(nodes), deadline_(deadline) {}

    // False when the server is not of the kind that the configuration says.
    bool about_kind(const Info& info);
    void about_commands(const Address& node);
    void about_memory(const Info& info);
    void about_persistence(const Address& node, const Info& info);
    void about_databases(const Address& node);
    void about_default_user(const Address& node);

    Capabilities found;

private:
    Reply ask(const Address& node, Words words);
    std::optional<std::string> setting(const Address& node, const std::string& name);
    void try_command(const Address& node, const Words& words);

    const StoreConfig& config_;
    const Access& access_;
    Nodes& nodes_;
    Deadline deadline_;
};

// The reply, errors among them: a permission that is missing is a finding here.
Reply Inspection::ask(const Address& node, Words words) {
    try {
        return std::move(nodes_.run_at(node, 0, std::span(&words, 1), deadline_).front());
    } catch (const Unavailable& error) {
        if (error.reason() != "PermissionDenied") {
            throw;
        }
        Reply reply;
        reply.type = Reply::Type::error;
        reply.text = "NOPERM";
        return reply;
    }
}

// Nothing where CONFIG may not be read, as with hosted servers.
std::optional<std::string> Inspection::setting(const Address& node, const std::string& name) {
    const Reply reply = ask(node, {"CONFIG", "GET", name});
    if (reply.type != Reply::Type::array || reply.elements.size() != 2) {
        return std::nullopt;
    }
    return reply.elements[1].text;
}

bool Inspection::about_kind(const Info& info) {
    found.product = info.contains("valkey_version") ? "Valkey" : "Redis";
    const auto version = info.find("redis_version");
    found.version = version != info.end() ? version->second : "";
    const auto enabled = info.find("cluster_enabled");
    const bool cluster = enabled != info.end() && enabled->second == "1";
    found.details.set("cluster", cluster);
    if (cluster != config_.cluster) {
        found.missing.emplace_back(cluster
                                       ? "cluster = true: the server is part of a cluster"
                                       : "cluster = false: the server is not part of a cluster");
    }
    return cluster == config_.cluster;
}

void Inspection::try_command(const Address& node, const Words& words) {
    const Reply reply = ask(node, words);
    const auto code = code_of(reply.text);
    if (reply.is_error() && code != "MOVED" && code != "ASK") { // those have got that far
        found.missing.push_back(words.front() + ": " + harmless(reply.text));
    }
}

// On a key that is not there, in the namespace of a tenant that cannot be.
void Inspection::about_commands(const Address& node) {
    const std::string key = prefix_of(Uuid{}) + "tenancy:probe";
    try_command(node, {"INFO", "keyspace"});
    try_command(node, {"SCAN", "0", "MATCH", key, "COUNT", "1"});
    try_command(node, {"UNLINK", key});
    try_command(node, {"EVAL", probe_script().text, "1", key});
    try_command(node, {"EVALSHA", std::string(40, '0'), "1", key});
    // That no such script is known is the answer of a server that would run it.
    std::erase_if(found.missing,
                  [](const std::string& each) { return each.starts_with("EVALSHA: NOSCRIPT"); });
    if (!config_.cluster && config_.database != 0) {
        try_command(node, {"SELECT", "0"}); // the database itself was selected on the way here
    }
}

void Inspection::about_memory(const Info& info) {
    const auto policy = info.find("maxmemory_policy");
    if (policy == info.end()) {
        return;
    }
    found.details.set("maxmemory_policy", policy->second);
    if (policy->second.starts_with("allkeys-")) {
        found.warnings.push_back("maxmemory-policy is " + policy->second +
                                 ": a full server drops tenants' markers and settings; use "
                                 "noeviction or volatile-*");
    }
}

void Inspection::about_persistence(const Address& node, const Info& info) {
    const auto aof = info.find("aof_enabled");
    const auto save = setting(node, "save");
    if (aof == info.end() || !save) {
        return;
    }
    const bool persistent = aof->second == "1" || !save->empty();
    found.details.set("persistence", persistent);
    if (!persistent) {
        found.warnings.emplace_back("the server keeps nothing on disk: after a restart every "
                                    "tenant has to be published again; set appendonly or save");
    }
}

void Inspection::about_databases(const Address& node) {
    if (const auto databases = setting(node, config_.cluster ? "cluster-databases" : "databases")) {
        found.details.set("databases", *databases);
    } else if (config_.cluster) {
        found.details.set("databases", "1");
    }
}

// By coming without a password.
void Inspection::about_default_user(const Address& node) {
    bool open = access_.password.empty();
    if (!open) {
        try {
            const auto limit = deadline_.sooner(Deadline::in(access_.connect_timeout));
            Connection anonymous(node, access_, limit, true);
            open = code_of(anonymous.exchange(Words{"PING"}, limit).text) != "NOAUTH";
        } catch (const Unavailable&) {
            open = false;
        }
    }
    found.details.set("default_user_open", open);
    if (open) {
        found.warnings.emplace_back(
            "the server's default user needs no password, so that every client that "
            "reaches the server reaches every tenant; turn it off");
    }
}

} // namespace

Capabilities inspect(const StoreConfig& config, const std::vector<Address>& addresses,
                     const Access& access, Nodes& nodes, Deadline deadline) {
    Inspection inspection(config, access, nodes, deadline);
    const Reply first = ask_any(addresses, access, {"INFO"}, deadline);
    if (first.is_error() && code_of(first.text) == "NOPERM") {
        inspection.found.product = "Redis";
        inspection.found.missing.emplace_back("INFO: the user may not run it");
        return std::move(inspection.found);
    }
    if (!inspection.about_kind(parse_info(text_of("INFO", first)))) {
        return std::move(inspection.found);
    }
    const Layout layout = nodes.layout(deadline);
    inspection.found.details.set("primaries", layout.primaries.size());
    const Words words = {"INFO"};
    for (const Address& node : layout.primaries) {
        const auto replies = nodes.run_at(node, 0, std::span(&words, 1), deadline);
        const Info info = parse_info(text_of("INFO", replies.front()));
        inspection.about_commands(node);
        inspection.about_memory(info);
        inspection.about_persistence(node, info);
        inspection.about_databases(node);
        inspection.about_default_user(node);
    }
    auto& warnings = inspection.found.warnings;
    warnings.erase(std::unique(warnings.begin(), warnings.end()), warnings.end());
    return std::move(inspection.found);
}

std::string runs_of(Nodes& nodes, Deadline deadline) {
    const std::array<Words, 2> questions = {Words{"INFO", "server"}, Words{"INFO", "replication"}};
    std::set<std::string> runs;
    for (const Address& node : nodes.layout(deadline).primaries) {
        const auto replies = nodes.run_at(node, 0, questions, deadline);
        Info info = parse_info(text_of("INFO", replies[0]));
        info.merge(parse_info(text_of("INFO", replies[1])));
        runs.insert(print_address(node) + ' ' + info["run_id"] + ' ' + info["master_replid"]);
    }
    std::string text;
    for (const std::string& run : runs) {
        text += run + '\n';
    }
    return text;
}

} // namespace tenancy::sidecar::redis
