// What the isolation linter finds, and how it is asked: the extension where the database has it,
// else the rules of the plain file, which are built in.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "postgres/connection.hpp"

namespace tenancy::sidecar::lint {

// From the worst to the least.
enum class Severity { error, warning, info };

struct Finding {
    std::string rule;
    Severity severity = Severity::error;
    std::string object_type; // as pg_identify_object says, with object
    std::string object;
    std::string message;
    std::string why;
    std::string demonstration;
    std::string fix; // SQL, or advice that begins with --
    std::string fingerprint;
    std::optional<std::string> accepted; // why, where the database suppresses it
};

struct Rule {
    std::string id;
    Severity severity = Severity::error;
    std::string message; // an example
    std::string why;
    std::string fix;
};

// A table, and beside it the tenant column of a protected one or the reason of another.
struct Table {
    std::string name;
    std::string beside;
    friend bool operator==(const Table&, const Table&) = default;
};

// All that is to be told of one database.
struct Report {
    std::string database;
    bool extension = false;
    std::vector<Finding> findings; // the worst first
    std::vector<Rule> rules;       // of the extension: all; else those that found something
    std::vector<Table> protected_tables;
    std::vector<Table> shared_tables;
    std::vector<Table> exempt_tables;

    [[nodiscard]] std::size_t count(Severity severity) const; // without accepted ones
    [[nodiscard]] std::size_t accepted() const;
};

// What a database without the extension cannot say itself.
struct Guesses {
    std::vector<std::string> tenant_columns{"tenant_id"};
    std::vector<std::string> set_aside; // schema.table
};

[[nodiscard]] std::string_view word_of(Severity severity);
// Throws std::invalid_argument for another word.
[[nodiscard]] Severity severity_of(std::string_view word);

// Those of the names, as schema.table, that no table has. Throws as Connection::execute().
[[nodiscard]] std::vector<std::string> missing_tables(Connection& connection,
                                                      const std::vector<std::string>& names);

// Asks the database. Throws as Connection::execute().
[[nodiscard]] Report ask(Connection& connection, const Guesses& guesses);

} // namespace tenancy::sidecar::lint
