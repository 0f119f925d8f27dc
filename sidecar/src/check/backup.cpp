// "A backup that works": the role that takes it can read everything that a dump has to have, proven
// by reading, or by dumping. Nothing is written.
#include <cmath>

#include "base/failure.hpp"
#include "check/checks.hpp"
#include "check/dump.hpp"
#include "postgres/connection.hpp"

namespace tenancy::sidecar {
namespace {

constexpr const char* subject = "backup";

// What a dump reads and this role may not.
constexpr const char* unreadable_query = R"(
SELECT string_agg(c.oid::regclass::text, ', ' ORDER BY c.oid::regclass::text)
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'S') AND c.relpersistence <> 't'
  AND n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'
  AND NOT (has_schema_privilege(n.oid, 'USAGE')
           AND CASE WHEN c.relkind = 'S' THEN has_sequence_privilege(c.oid, 'SELECT')
                    ELSE has_table_privilege(c.oid, 'SELECT') END)
)";

// Tables whose rows are hidden from ordinary roles; where policies stay in force, a dump fails.
constexpr const char* guarded_query = R"(
SELECT c.oid::regclass::text FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND c.relrowsecurity AND n.nspname NOT LIKE 'pg\_%' ORDER BY 1
)";

void read_guarded(Connection& connection, Findings& findings) {
    const Rows tables = connection.execute(guarded_query);
    connection.execute("SET row_security = off"); // as pg_dump does: an error instead of a part
    for (const auto& row : tables.rows) {
        connection.execute("SELECT FROM " + row.at(0).value_or("") + " LIMIT 1");
    }
    findings.ok(subject, "reads every table, " + std::to_string(tables.rows.size()) +
                             " with row security among them");
}

void check_reading(const PostgresConfig& config, const std::string& conninfo, Findings& findings) {
    Connection connection(config, conninfo, "tenancyd check", ServerRole::any);
    connection.execute("SET default_transaction_read_only = on");
    const Rows rows = connection.execute(unreadable_query);
    if (const Field& unreadable = rows.rows.at(0).at(0)) {
        findings.failed(subject, "the role may not read " + *unreadable,
                        "GRANT pg_read_all_data to it");
        return;
    }
    read_guarded(connection, findings);
}

void check_dump(const PostgresConfig& config, const std::string& conninfo, Findings& findings) {
    const DumpResult result = run_dump(conninfo, config.password);
    if (result.whole) {
        findings.ok(subject,
                    "pg_dump got through in " + std::to_string(std::lround(result.seconds)) + " s");
    } else {
        findings.failed(subject, "pg_dump failed: " + result.message,
                        "correct that before it is needed");
    }
}

// Without a login of the backup role it can only be asked whether there is one.
void check_registration(const Config& config, Findings& findings) {
    Connection connection(config.postgres, config.postgres.conninfo, "tenancyd check",
                          ServerRole::any);
    const Rows rows = connection.execute(
        "SELECT pg_catalog.string_agg(b.role_name::text, ', ') FROM tenancy.bypass_role AS b "
        "WHERE b.purpose = 'backup' AND coalesce(b.valid_until > pg_catalog.now(), true)");
    const Field& registered = rows.rows.at(0).at(0);
    if (!registered) {
        findings.failed(subject, "no role is registered for the purpose backup",
                        "SELECT tenancy.register_bypass('ROLE', 'backup')");
        return;
    }
    findings.warning(subject, "registered: " + *registered + "; not tried",
                     "name it with [check] backup_conninfo or --backup");
}

void check_without_login(const Config& config, Findings& findings) {
    try {
        check_registration(config, findings);
    } catch (const SqlError&) { // the sidecar reads nothing of the registry by itself
        findings.warning(subject, "not tried: no login of a backup role is known",
                         "name it with [check] backup_conninfo or --backup");
    }
}

void check_with_login(const Config& config, const std::string& conninfo, bool dump,
                      Findings& findings) {
    PostgresConfig login = config.postgres;
    login.conninfo = conninfo;
    login.password = conninfo == config.check.backup_conninfo ? config.check.backup_password : "";
    check_reading(login, conninfo, findings);
    if (dump) {
        check_dump(login, conninfo, findings);
    }
}

} // namespace

void check_backup(const Config& config, const CheckOptions& options, Findings& findings) {
    const std::string& conninfo =
        options.backup.empty() ? config.check.backup_conninfo : options.backup;
    try {
        if (conninfo.empty()) {
            check_without_login(config, findings);
        } else {
            check_with_login(config, conninfo, options.dump, findings);
        }
    } catch (const Unavailable& error) {
        findings.failed(subject, error.what(), "see that this role can log in");
    } catch (const SqlError& error) {
        findings.failed(subject, error.what(),
                        error.hint().empty() ? "SELECT tenancy.register_bypass('ROLE', 'backup')"
                                             : error.hint());
    } catch (const std::runtime_error& error) {
        findings.failed(subject, error.what(), "see that pg_dump is on the PATH");
    }
}

} // namespace tenancy::sidecar
