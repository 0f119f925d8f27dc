// [stores.NAME]: where an outside store is and how to speak to it.
#include <algorithm>
#include <cctype>

#include "config/conninfo.hpp"
#include "config/secret.hpp"
#include "config/tables.hpp"

namespace tenancy::sidecar {
namespace {

using namespace std::chrono_literals;

bool is_store_name(std::string_view name) {
    return !name.empty() && name.size() <= 31 && name.front() >= 'a' && name.front() <= 'z' &&
           std::all_of(name.begin(), name.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
           });
}

void require_file(const Section& section, std::string_view key, const std::filesystem::path& file) {
    std::error_code error;
    if (!file.empty() && !std::filesystem::is_regular_file(file, error)) {
        section.fail(key, std::string(key) + ": " + file.string() + " is not a file");
    }
}

// The file with the private key of the client's certificate; empty where there is none.
std::filesystem::path read_key(const Section& section) {
    const bool handed_over = section.has("key_credential");
    if (handed_over && section.has("key_file")) {
        section.fail("key_credential", "key_file and key_credential are both there; leave one out");
    }
    try {
        if (handed_over) {
            return credential_file(section.text("key_credential"));
        }
        const std::filesystem::path file = section.path("key_file");
        if (!file.empty()) {
            require_private(file);
        }
        return file;
    } catch (const SecretDenied& error) {
        section.fail("key_file", "key_file: " + error.with_credential("key_credential"));
    } catch (const SecretError& error) {
        const std::string key = handed_over ? "key_credential" : "key_file";
        section.fail(key, key + ": " + error.what());
    }
}

TlsConfig read_tls(const Section& section) {
    const std::vector<std::string> keys{"ca_file", "cert_file", "key_file", "key_credential",
                                        "server_name"};
    section.allow({"enabled", "ca_file", "cert_file", "key_file", "key_credential", "server_name"});
    TlsConfig config;
    config.enabled =
        section.flag("enabled", std::any_of(keys.begin(), keys.end(), [&](const std::string& key) {
                         return section.has(key);
                     }));
    config.ca_file = section.path("ca_file");
    config.cert_file = section.path("cert_file");
    config.server_name = section.text("server_name", "");
    require_file(section, "ca_file", config.ca_file);
    require_file(section, "cert_file", config.cert_file);
    const char* key = section.has("key_credential") ? "key_credential" : "key_file";
    if (config.cert_file.empty() == section.has(key)) {
        section.fail(section.has(key) ? key : "cert_file",
                     "cert_file and key_file go together, or cert_file and key_credential; name "
                     "both or neither");
    }
    config.key_file = read_key(section);
    return config;
}

void refuse_reserved(const Section& section, const StoreConfig& config) {
    if (config.users == "managed") {
        section.fail("users", "users = \"managed\" is reserved: tenancyd does not make users of "
                              "tenants yet; leave it out, or write \"external\"");
    }
    if (config.layout == "shared") {
        section.fail("layout", "layout = \"shared\" is reserved: each tenant has a database of its "
                               "own; leave it out, or write \"database\"");
    }
}

void read_redis(const Section& section, StoreConfig& config) {
    section.refuse({"uri"}, "is for stores of kind mongodb; redis has addresses");
    config.addresses = section.texts("addresses");
    if (config.addresses.empty()) {
        section.fail("addresses", "addresses must name at least one node, as [\"localhost:6379\"]");
    }
    for (const std::string& address : config.addresses) {
        std::string objection = objection_to_address(address);
        if (!objection.empty()) {
            // Before an @ there may be a password, which is told to nobody.
            const bool secret = address.find('@') != std::string::npos;
            section.fail("addresses", objection.insert(0, secret ? "an address with @ in it "
                                                                 : '"' + address + "\" "));
        }
    }
    config.cluster = section.flag("cluster", false);
    config.database = section.number("database", 0, {0, 65535});
    if (config.cluster && config.database != 0) {
        section.fail("database", "database must be 0 in a cluster, which has no other");
    }
}

void read_mongodb(const Section& section, StoreConfig& config) {
    section.refuse({"addresses", "cluster", "database"},
                   "is for stores of kind redis; mongodb has uri");
    config.uri = section.text("uri");
    const std::string objection = objection_to_mongodb_uri(config.uri);
    if (!objection.empty()) {
        section.fail("uri", "uri " + objection);
    }
}

void read_limits(const Section& section, StoreConfig& config) {
    config.connect_timeout =
        section.duration("connect_timeout", config.connect_timeout, {100ms, 5min});
    config.operation_timeout =
        section.duration("operation_timeout", config.operation_timeout, {100ms, 1h});
    config.workers = static_cast<unsigned>(section.number("workers", config.workers, {1, 64}));
    config.batch = static_cast<unsigned>(section.number("batch", config.batch, {1, 1000}));
    config.scan_rate =
        static_cast<unsigned>(section.number("scan_rate", config.scan_rate, {0, 1000000}));
}

} // namespace

StoreConfig read_store(const Section& section, const std::string& name) {
    StoreConfig config;
    config.name = name;
    if (!is_store_name(name)) {
        section.fail("", "\"" + name +
                             "\" is no name of a store; up to 31 of a to z, 0 to 9 and _, "
                             "a letter first");
    }
    section.allow({"kind", "addresses", "cluster", "database", "uri", "username", "password",
                   "password_file", "credential", "users", "layout", "connect_timeout",
                   "operation_timeout", "workers", "batch", "scan_rate", "tls"});
    if (!section.has("kind")) {
        section.fail("", "kind is missing in [" + section.name() + "]; it is mongodb or redis");
    }
    config.kind = section.choice("kind", {"mongodb", "redis"});
    config.username = section.text("username", "");
    config.password = read_secret(section, password_keys);
    if (!config.username.empty() && config.password.empty()) {
        section.fail("username", "username is there without a password; add password_file or "
                                 "credential, or leave it out");
    }
    config.users = section.choice("users", {"external", "managed"});
    config.layout = section.choice("layout", {"database", "shared"});
    refuse_reserved(section, config);
    config.kind == "redis" ? read_redis(section, config) : read_mongodb(section, config);
    read_limits(section, config);
    config.tls = read_tls(section.section("tls"));
    return config;
}

} // namespace tenancy::sidecar
