// The whole file: each table by its own reader, then what concerns several of them.
#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>

#include <unistd.h>

#include "config/tables.hpp"

namespace tenancy::sidecar {
namespace {

std::string host_name() {
    std::array<char, 256> name{};
    return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "tenancyd";
}

std::filesystem::path default_state_directory() {
    const char* given = std::getenv("STATE_DIRECTORY");
    return given != nullptr && *given != '\0' ? given : "/var/lib/tenancyd";
}

// Where a store is, so that two names for one place are found. A Redis server is one place,
// whatever the database: tenants are erased in all of them.
std::vector<std::string> places_of(const StoreConfig& store) {
    if (store.kind == "mongodb") {
        return {store.uri};
    }
    return store.addresses;
}

std::vector<StoreConfig> read_stores(const Section& section) {
    std::vector<StoreConfig> stores;
    std::map<std::string, std::string> taken;
    for (const Section& table : section.sections()) {
        const std::string name = table.name().substr(section.name().size() + 1);
        stores.push_back(read_store(table, name));
        for (const std::string& place : places_of(stores.back())) {
            const auto [other, is_new] = taken.emplace(place, name);
            if (!is_new && other->second != name) {
                table.fail(stores.back().kind == "redis" ? "addresses" : "uri",
                           "this is where store " + other->second +
                               " is already; one place is one store");
            }
        }
    }
    return stores;
}

std::string read_daemon(const Section& top) {
    const std::string name = top.text("daemon", "");
    if (name.size() > 63) {
        top.fail("daemon", "daemon is longer than 63 bytes; give it a shorter name");
    }
    return name.empty() ? host_name().substr(0, 63) : name;
}

} // namespace

const StoreConfig* Config::find_store(std::string_view name) const {
    const auto found = std::find_if(stores.begin(), stores.end(),
                                    [&](const StoreConfig& store) { return store.name == name; });
    return found == stores.end() ? nullptr : &*found;
}

Config read_config(const std::filesystem::path& file) {
    const Section top = Section::read(file);
    top.allow(
        {"daemon", "state_directory", "postgres", "stores", "reconcile", "http", "log", "check"});
    Config config;
    config.file = file;
    config.daemon = read_daemon(top);
    config.state_directory = top.path("state_directory");
    if (config.state_directory.empty()) {
        config.state_directory = default_state_directory();
    }
    config.log = read_log(top.section("log"));
    config.postgres = read_postgres(top.section("postgres"));
    config.stores = read_stores(top.section("stores"));
    config.reconcile = read_reconcile(top.section("reconcile"));
    config.http = read_http(top.section("http"));
    config.check = read_check(top.section("check"));
    return config;
}

} // namespace tenancy::sidecar
