// [postgres]: where the database is, and [check]: who takes backups of it.
#include "config/conninfo.hpp"
#include "config/secret.hpp"
#include "config/tables.hpp"

namespace tenancy::sidecar {
namespace {

using namespace std::chrono_literals;

constexpr SecretKeys backup_keys{"backup_password", "backup_password_file", "backup_credential"};

void require_conninfo(const Section& section, std::string_view key, const std::string& conninfo) {
    const std::string objection = objection_to_conninfo(conninfo);
    if (!objection.empty()) {
        section.fail(key, std::string(key) + ' ' + objection);
    }
}

} // namespace

std::string read_secret(const Section& section, const SecretKeys& keys) {
    const std::string file_key = keys.file;
    if (section.has(keys.inline_key)) {
        section.fail(keys.inline_key, std::string(keys.inline_key) +
                                          " must not stand in this file; write it to a file of "
                                          "mode 0600 and name that with " +
                                          file_key + ", or use " + keys.credential);
    }
    if (section.has(keys.file) && section.has(keys.credential)) {
        section.fail(keys.credential,
                     file_key + " and " + keys.credential + " are both there; leave one out");
    }
    const char* key = section.has(keys.credential) ? keys.credential : keys.file;
    try {
        if (section.has(keys.credential)) {
            return read_credential(section.text(keys.credential));
        }
        return section.has(keys.file) ? read_secret_file(section.path(keys.file)) : "";
    } catch (const SecretDenied& error) {
        section.fail(key, std::string(key) + ": " + error.with_credential(keys.credential));
    } catch (const SecretError& error) {
        section.fail(key, std::string(key) + ": " + error.what());
    }
}

PostgresConfig read_postgres(const Section& section) {
    section.allow({"conninfo", "password", "password_file", "credential", "nodes",
                   "connect_timeout", "statement_timeout"});
    PostgresConfig config;
    config.conninfo = section.text("conninfo");
    require_conninfo(section, "conninfo", config.conninfo);
    config.password = read_secret(section, password_keys);
    config.nodes = section.texts("nodes");
    for (const std::string& node : config.nodes) {
        require_conninfo(section, "nodes", node);
    }
    config.connect_timeout =
        section.duration("connect_timeout", config.connect_timeout, {100ms, 5min});
    config.statement_timeout =
        section.duration("statement_timeout", config.statement_timeout, {100ms, 1h});
    return config;
}

CheckConfig read_check(const Section& section) {
    section.allow(
        {"backup_conninfo", "backup_password", "backup_password_file", "backup_credential"});
    CheckConfig config;
    config.backup_conninfo = section.text("backup_conninfo", "");
    if (!config.backup_conninfo.empty()) {
        require_conninfo(section, "backup_conninfo", config.backup_conninfo);
    }
    config.backup_password = read_secret(section, backup_keys);
    return config;
}

} // namespace tenancy::sidecar
