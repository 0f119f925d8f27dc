#include "postgres/conninfo.hpp"

#include <algorithm>
#include <memory>

#include <libpq-fe.h>

namespace tenancy::sidecar {
namespace {

Keywords parse(const std::string& conninfo) {
    char* problem = nullptr;
    const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options(
        PQconninfoParse(conninfo.c_str(), &problem), PQconninfoFree);
    const std::unique_ptr<char, decltype(&PQfreemem)> message(problem, PQfreemem);
    if (!options) {
        std::string text = message ? message.get() : "out of memory";
        text.erase(text.find_last_not_of('\n') + 1);
        throw ConfigError("postgres.conninfo: " + text);
    }
    Keywords found;
    for (const auto* option = options.get(); option->keyword != nullptr; ++option) {
        if (option->val != nullptr) {
            found[option->keyword] = option->val;
        }
    }
    return found;
}

std::vector<std::string> split(const std::string& list) {
    std::vector<std::string> parts;
    std::size_t begin = 0;
    for (auto comma = list.find(','); comma != std::string::npos; comma = list.find(',', begin)) {
        parts.push_back(list.substr(begin, comma - begin));
        begin = comma + 1;
    }
    parts.push_back(list.substr(begin));
    return parts;
}

// The parts of a list that libpq pairs up with the hosts: one for each, or one for all.
std::vector<std::string> parts_of(const Keywords& keywords, const std::string& name) {
    const auto found = keywords.find(name);
    return found == keywords.end() ? std::vector<std::string>{} : split(found->second);
}

void set_part(Keywords& keywords, const std::string& name, const std::vector<std::string>& parts,
              std::size_t host) {
    if (!parts.empty()) {
        keywords[name] = parts[std::min(host, parts.size() - 1)];
    }
}

} // namespace

std::vector<Keywords> connection_attempts(const std::string& conninfo, const PostgresConfig& config,
                                          const std::string& application_name, ServerRole role) {
    Keywords common = parse(conninfo);
    common.insert({{"application_name", application_name},
                   {"client_encoding", "UTF8"},
                   {"keepalives_idle", "10"},
                   {"keepalives_interval", "5"},
                   {"keepalives_count", "3"},
                   {"tcp_user_timeout", std::to_string(config.statement_timeout.count())}});
    if (role == ServerRole::primary) {
        common.insert({"target_session_attrs", "read-write"});
    }
    if (!config.password.empty()) {
        common["password"] = config.password;
    }
    const auto hosts = parts_of(common, "host");
    const auto addresses = parts_of(common, "hostaddr");
    const auto ports = parts_of(common, "port");
    std::vector<Keywords> attempts(std::max({hosts.size(), addresses.size(), std::size_t{1}}),
                                   common);
    for (std::size_t i = 0; i < attempts.size(); ++i) {
        set_part(attempts[i], "host", hosts, i);
        set_part(attempts[i], "hostaddr", addresses, i);
        set_part(attempts[i], "port", ports, i);
    }
    return attempts;
}

} // namespace tenancy::sidecar
