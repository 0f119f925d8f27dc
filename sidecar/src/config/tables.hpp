// The tables of the configuration file, each read by the file of its name.
#pragma once

#include "config/config.hpp"
#include "config/section.hpp"

namespace tenancy::sidecar {

[[nodiscard]] PostgresConfig read_postgres(const Section& section);
[[nodiscard]] StoreConfig read_store(const Section& section, const std::string& name);
[[nodiscard]] ReconcileConfig read_reconcile(const Section& section);
[[nodiscard]] HttpConfig read_http(const Section& section);
[[nodiscard]] LogConfig read_log(const Section& section);
[[nodiscard]] CheckConfig read_check(const Section& section);

// The secret that KEY_file or the credential names, or empty when neither is there.
struct SecretKeys {
    const char* inline_key; // refused: "password"
    const char* file;       // "password_file"
    const char* credential; // "credential"
};
[[nodiscard]] std::string read_secret(const Section& section, const SecretKeys& keys);

inline constexpr SecretKeys password_keys{"password", "password_file", "credential"};

} // namespace tenancy::sidecar
