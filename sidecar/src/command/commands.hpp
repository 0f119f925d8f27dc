// What tenancyd can be told to do, one function each. Whatever they throw is told by
// command_line().
#pragma once

#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace tenancy::sidecar {

// The exit status: 0; 1 when something was found, refused or failed; 2 when the command line or the
// configuration cannot be used.
enum class Exit : int { done = 0, failed = 1, usage = 2 };

// The command line cannot be used, in a way that its grammar does not say.
class UsageError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

// Parses the command line and does what it says.
[[nodiscard]] int command_line(int argc, const char* const* argv);

// How an administrator reaches the database, apart from the daemon's own login: libpq's conninfo
// without password, or a service; libpq's environment when both are empty.
struct Login {
    std::string conninfo;
    std::string service;

    [[nodiscard]] bool given() const { return !conninfo.empty() || !service.empty(); }
    // Throws UsageError when conninfo has a password in it, or both are given.
    [[nodiscard]] std::string target() const;
};

using ConfigFile = std::filesystem::path;

[[nodiscard]] Exit run_daemon(const ConfigFile& file);

struct CheckOptions {
    ConfigFile file;
    std::string backup; // conninfo of the role that takes backups, instead of the configuration's
    bool dump = false;
    bool json = false;
};
[[nodiscard]] Exit check(const CheckOptions& options);

struct ProtectOptions {
    Login login;
    std::string relation;
    std::string tenant_column = "tenant_id";
    std::optional<std::string> via;
    std::string harden_keys = "references";
    bool fill_null = false;
    std::optional<std::string> owner;
    std::string existing_policies = "refuse";
    bool dry_run = false;
    int attempts = 100;
};
[[nodiscard]] Exit protect(const ProtectOptions& options);

struct AdoptOptions {
    ConfigFile file;
    Login login; // instead of the configuration's, where it is given
    std::string role;
    std::optional<std::string> store;
    bool yes = false;
};
[[nodiscard]] Exit adopt_command(const AdoptOptions& options);

[[nodiscard]] Exit status(const ConfigFile& file, bool json);

struct ForgetOptions {
    Login login;
    std::string store;
    std::string reason;
    bool yes = false;
};
[[nodiscard]] Exit forget_store(const ForgetOptions& options);

struct LintOptions {
    Login login;
    std::string format = "text"; // or json, sarif
    std::string fail_on = "error";
    bool all = false;
    std::string expect;         // file of a manifest
    std::string write_manifest; // file
    // Where the database does not have the extension.
    std::vector<std::string> tenant_columns{"tenant_id"};
    std::vector<std::string> set_aside;
};
[[nodiscard]] Exit lint_command(const LintOptions& options);

} // namespace tenancy::sidecar
