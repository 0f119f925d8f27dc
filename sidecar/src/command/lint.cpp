// tenancyd lint: the isolation linter, for people and for CI.
#include <fstream>
#include <iostream>

#include "command/commands.hpp"
#include "lint/report.hpp"

namespace tenancy::sidecar {
namespace {

void write_manifest(const std::string& file, const lint::Report& report) {
    std::ofstream stream(file, std::ios::trunc);
    stream << lint::manifest_text(lint::manifest_of(report));
    if (!stream.flush()) {
        throw std::runtime_error(file + ": cannot be written");
    }
    std::cerr << "tenancyd: wrote " << file << '\n';
}

lint::Compared compare(const std::string& file, const lint::Report& report) {
    lint::Manifest manifest = lint::read_manifest(file);
    auto differences = lint::differences(manifest, report);
    return {file, std::move(manifest), std::move(differences)};
}

std::string printed(const LintOptions& options, const lint::Outcome& outcome) {
    if (options.format == "json") {
        return lint::as_json(outcome);
    }
    return options.format == "sarif" ? lint::as_sarif(outcome) : lint::as_text(outcome);
}

// With a manifest, what differs from it counts, else what is as bad as was asked for.
bool is_good(const LintOptions& options, const lint::Outcome& outcome) {
    if (outcome.compared) {
        return outcome.compared->differences.empty();
    }
    if (options.fail_on == "never") {
        return true;
    }
    std::size_t bad = 0;
    for (const lint::Severity severity :
         {lint::Severity::error, lint::Severity::warning, lint::Severity::info}) {
        bad += outcome.report.count(severity);
        if (lint::word_of(severity) == options.fail_on) {
            break;
        }
    }
    return bad == 0;
}

// A name that fits nothing would be passed over, and its table be found.
void check_set_aside(Connection& connection, const LintOptions& options) {
    const auto missing = lint::missing_tables(connection, options.set_aside);
    if (!missing.empty()) {
        throw UsageError("there is no table \"" + missing.front() + "\": write schema.table");
    }
}

} // namespace

Exit lint_command(const LintOptions& options) {
    if (!options.expect.empty() && !options.write_manifest.empty()) {
        throw UsageError("--expect and --write-manifest are both given; leave one out");
    }
    Connection connection(PostgresConfig{}, options.login.target(), "tenancyd lint",
                          ServerRole::any);
    check_set_aside(connection, options);
    lint::Outcome outcome;
    outcome.all = options.all;
    outcome.report = lint::ask(connection, {options.tenant_columns, options.set_aside});
    if (!options.expect.empty()) {
        outcome.compared = compare(options.expect, outcome.report);
    }
    std::cout << printed(options, outcome);
    if (!options.write_manifest.empty()) {
        write_manifest(options.write_manifest, outcome.report);
        return Exit::done;
    }
    return is_good(options, outcome) ? Exit::done : Exit::failed;
}

} // namespace tenancy::sidecar
