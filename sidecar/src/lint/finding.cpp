#include "lint/finding.hpp"

#include <algorithm>
#include <stdexcept>

#include "lint/rules.hpp"

namespace tenancy::sidecar::lint {
namespace {

// PostgreSQL's text form of text[].
std::string array_text(const std::vector<std::string>& values) {
    std::string text = "{";
    for (const std::string& value : values) {
        text += text.size() > 1 ? ",\"" : "\"";
        for (const char c : value) {
            text += c == '"' || c == '\\' ? std::string("\\") + c : std::string(1, c);
        }
        text += '"';
    }
    return text + "}";
}

std::string text_of(const Rows& rows, std::size_t row, std::string_view column) {
    return rows.at(row, column).value_or("");
}

Finding finding_of(const Rows& rows, std::size_t row, bool extension) {
    Finding one{text_of(rows, row, "rule"),          severity_of(text_of(rows, row, "severity")),
                text_of(rows, row, "object_type"),   text_of(rows, row, "object"),
                text_of(rows, row, "message"),       text_of(rows, row, "why"),
                text_of(rows, row, "demonstration"), text_of(rows, row, "fix"),
                text_of(rows, row, "fingerprint"),   std::nullopt};
    if (extension) {
        one.accepted = rows.at(row, "suppressed_because");
    }
    return one;
}

void take_findings(Report& report, const Rows& rows) {
    for (std::size_t row = 0; row < rows.rows.size(); ++row) {
        report.findings.push_back(finding_of(rows, row, report.extension));
    }
}

void ask_extension(Connection& connection, Report& report) {
    take_findings(report, connection.execute("SELECT * FROM tenancy.check_isolation(true)"));
    const Rows rules = connection.execute("SELECT * FROM tenancy.isolation_rules()");
    report.rules.reserve(rules.rows.size());
    for (std::size_t row = 0; row < rules.rows.size(); ++row) {
        report.rules.push_back({text_of(rules, row, "rule"),
                                severity_of(text_of(rules, row, "severity")),
                                text_of(rules, row, "message"), text_of(rules, row, "why"),
                                text_of(rules, row, "fix")});
    }
}

void ask_plain(Connection& connection, const Guesses& guesses, Report& report) {
    connection.execute("SET jit = off");
    take_findings(report, connection.execute(plain_rules, {array_text(guesses.tenant_columns),
                                                           array_text(guesses.set_aside)}));
    for (const Finding& one : report.findings) {
        const bool known = std::any_of(report.rules.begin(), report.rules.end(),
                                       [&](const Rule& rule) { return rule.id == one.rule; });
        if (!known) {
            report.rules.push_back({one.rule, one.severity, one.message, one.why, one.fix});
        }
    }
}

// The rows of a query with the columns name and beside, in an order that no locale changes.
std::vector<Table> tables(Connection& connection, const std::string& query,
                          const std::vector<Field>& parameters = {}) {
    std::vector<Table> found;
    const Rows rows = connection.execute("SELECT t.name, t.beside FROM (" + query +
                                             ") AS t ORDER BY t.name COLLATE \"C\"",
                                         parameters);
    found.reserve(rows.rows.size());
    for (const auto& row : rows.rows) {
        found.push_back({row.at(0).value_or(""), row.at(1).value_or("")});
    }
    return found;
}

std::vector<Table> recorded_tables(Connection& connection, const std::string& record,
                                   const std::string& beside) {
    return tables(connection, "SELECT format('%I.%I', n.nspname, c.relname) AS name, r." + beside +
                                  " AS beside FROM tenancy." + record +
                                  " AS r JOIN pg_class AS c ON c.oid = r.relation JOIN "
                                  "pg_namespace AS n ON n.oid = c.relnamespace");
}

std::vector<Table> guessed_tables(Connection& connection, const Guesses& guesses) {
    return tables(
        connection,
        "SELECT format('%I.%I', n.nspname, c.relname) AS name, min(a.attname) AS beside "
        "FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace "
        "JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped "
        "WHERE c.relkind IN ('r', 'p') AND c.relrowsecurity AND a.attname = ANY ($1::text[]) "
        "AND n.nspname !~ '^pg_' GROUP BY 1",
        {array_text(guesses.tenant_columns)});
}

} // namespace

std::string_view word_of(Severity severity) {
    return severity == Severity::error     ? "error"
           : severity == Severity::warning ? "warning"
                                           : "info";
}

Severity severity_of(std::string_view word) {
    for (const Severity severity : {Severity::error, Severity::warning, Severity::info}) {
        if (word == word_of(severity)) {
            return severity;
        }
    }
    throw std::invalid_argument("there is no severity " + std::string(word));
}

std::size_t Report::count(Severity severity) const {
    return static_cast<std::size_t>(
        std::count_if(findings.begin(), findings.end(), [severity](const Finding& one) {
            return one.severity == severity && !one.accepted;
        }));
}

std::size_t Report::accepted() const {
    return static_cast<std::size_t>(std::count_if(findings.begin(), findings.end(),
                                                  [](const Finding& one) { return one.accepted; }));
}

std::vector<std::string> missing_tables(Connection& connection,
                                        const std::vector<std::string>& names) {
    std::vector<std::string> missing;
    const Rows rows = connection.execute(
        "SELECT w.name FROM pg_catalog.unnest($1::pg_catalog.text[]) AS w(name) WHERE NOT EXISTS ("
        "SELECT FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n "
        "ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p') "
        "AND pg_catalog.format('%I.%I', n.nspname, c.relname) = w.name)",
        {array_text(names)});
    missing.reserve(rows.rows.size());
    for (std::size_t row = 0; row < rows.rows.size(); ++row) {
        missing.push_back(text_of(rows, row, "name"));
    }
    return missing;
}

Report ask(Connection& connection, const Guesses& guesses) {
    const Rows about =
        connection.execute("SELECT pg_catalog.current_database(), pg_catalog.to_regprocedure("
                           "'tenancy.check_isolation(boolean)') IS NOT NULL");
    Report report;
    report.database = about.rows.at(0).at(0).value_or("");
    report.extension = about.rows.at(0).at(1) == "t";
    if (report.extension) {
        ask_extension(connection, report);
        report.protected_tables = recorded_tables(connection, "protected_table", "tenant_column");
        report.shared_tables = recorded_tables(connection, "shared_table", "reason");
        report.exempt_tables = recorded_tables(connection, "exempt_table", "reason");
    } else {
        ask_plain(connection, guesses, report);
        report.protected_tables = guessed_tables(connection, guesses);
        for (const std::string& name : guesses.set_aside) {
            report.exempt_tables.push_back({name, "--set-aside"});
        }
    }
    return report;
}

} // namespace tenancy::sidecar::lint
