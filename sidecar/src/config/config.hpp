// The configuration of tenancyd: one TOML file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "base/deadline.hpp"

namespace tenancy::sidecar {

// The configuration cannot be used. what() begins with file:line: where there is one.
class ConfigError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

struct TlsConfig {
    bool enabled = false;
    std::string ca_file;   // empty: the system's authorities
    std::string cert_file; // empty: no client certificate
    std::string key_file;
    std::string server_name; // empty: the host's name
};

// [stores.NAME]. Secrets have been read from their files already; they are never logged.
struct StoreConfig {
    std::string name;
    std::string kind; // "mongodb" or "redis"

    // redis: host:port of each node that may be asked first; IPv6 as [::1]:6379.
    std::vector<std::string> addresses;
    bool cluster = false;
    std::int64_t database = 0; // where markers and settings lie, standalone only
    std::string username;
    std::string password;

    // mongodb: the URI without password; username and password are put in.
    std::string uri;

    TlsConfig tls;
    std::string users = "external";  // "managed" is reserved
    std::string layout = "database"; // "shared" is reserved
    Milliseconds connect_timeout{3000};
    Milliseconds operation_timeout{10000};
    unsigned workers = 2;      // sessions that work side by side
    unsigned batch = 64;       // tenants claimed at once, when all is well
    unsigned scan_rate = 5000; // keys a second that a scan looks at, 0: no limit
};

struct PostgresConfig {
    std::string conninfo; // libpq's, without password; "options" may not be in it
    std::string password; // empty: libpq's own ways (passfile, certificate, peer)
    // Each node of the cluster, for tenancyd check: conninfo of its own.
    std::vector<std::string> nodes;
    Milliseconds connect_timeout{5000};
    Milliseconds statement_timeout{15000};
};

struct ReconcileConfig {
    Milliseconds lease{30000};
    Milliseconds poll{5000};         // how often work is looked for without a notification
    Milliseconds tick{10000};        // heartbeat, and verification of the stamps
    Milliseconds schedule{30000};    // how often due scheduled transitions are run
    Milliseconds scan{3600000};      // between the starts of two scans of a store
    Milliseconds backoff_first{500}; // the first wait after a failure
    Milliseconds backoff_most{300000};
    unsigned attempts = 10; // transient failures in a row until a tenant is Stalled
};

struct HttpConfig {
    std::string listen = "127.0.0.1:9187"; // empty: none
};

// For `tenancyd check` alone.
struct CheckConfig {
    std::string backup_conninfo; // of the role that takes backups; empty: not tried
    std::string backup_password;
};

struct LogConfig {
    std::string level = "info"; // debug, info, warning, error
};

struct Config {
    std::filesystem::path file;
    std::string daemon;                    // this daemon's name; default: host name
    std::filesystem::path state_directory; // default: $STATE_DIRECTORY, /var/lib/tenancyd
    PostgresConfig postgres;
    std::vector<StoreConfig> stores; // names are unique
    ReconcileConfig reconcile;
    HttpConfig http;
    LogConfig log;
    CheckConfig check;

    // Borrowed; null where the configuration has no store of that name.
    [[nodiscard]] const StoreConfig* find_store(std::string_view name) const;
};

inline constexpr const char* default_config_file = "/etc/tenancy/tenancyd.toml";

// Reads and checks all of it. Throws ConfigError: the first thing that is wrong, with its line,
// what would be right, and for a mistyped key the nearest one. Unknown keys are errors.
[[nodiscard]] Config read_config(const std::filesystem::path& file);

} // namespace tenancy::sidecar
