#include "lint/manifest.hpp"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <tuple>

#include <nlohmann/json.hpp>

namespace tenancy::sidecar::lint {
namespace {

using nlohmann::ordered_json;

constexpr int version = 1;
constexpr const char* remedy = "write it anew with --write-manifest";

ordered_json object_of(const std::vector<Table>& tables) {
    ordered_json object = ordered_json::object();
    for (const Table& table : tables) {
        object[table.name] = table.beside;
    }
    return object;
}

std::vector<Table> tables_in(const ordered_json& manifest, const char* key) {
    std::vector<Table> tables;
    for (const auto& [name, beside] : manifest.at(key).items()) {
        tables.push_back({name, beside.get<std::string>()});
    }
    return tables;
}

bool counts(const Finding& one) {
    return one.severity != Severity::info && !one.accepted;
}

Manifest parsed(const std::string& text) {
    const auto json = ordered_json::parse(text);
    if (json.at("version") != version) {
        throw ManifestError("is of another version than 1; " + std::string(remedy));
    }
    Manifest manifest{
        tables_in(json, "protected"), tables_in(json, "shared"), tables_in(json, "exempt"), {}};
    for (const auto& one : json.at("findings")) {
        manifest.findings.push_back({one.at("fingerprint"), one.at("rule"), one.at("object")});
    }
    return manifest;
}

const Table* find(const std::vector<Table>& tables, const std::string& name) {
    const auto found = std::find_if(tables.begin(), tables.end(),
                                    [&](const Table& table) { return table.name == name; });
    return found == tables.end() ? nullptr : &*found;
}

void compare(const std::string& subject, const std::vector<Table>& expected,
             const std::vector<Table>& found, std::vector<Difference>& all) {
    for (const Table& table : expected) {
        const Table* now = find(found, table.name);
        if (now == nullptr) {
            all.push_back({subject, table.name, "is no longer " + subject});
        } else if (now->beside != table.beside) {
            all.push_back(
                {subject, table.name, "was \"" + table.beside + "\", is \"" + now->beside + '"'});
        }
    }
    for (const Table& table : found) {
        if (find(expected, table.name) == nullptr) {
            all.push_back({subject, table.name, "is " + subject + " now"});
        }
    }
}

bool is_found(const Report& report, const KnownFinding& known) {
    return std::any_of(report.findings.begin(), report.findings.end(), [&](const Finding& one) {
        return counts(one) && one.fingerprint == known.fingerprint;
    });
}

} // namespace

Manifest manifest_of(const Report& report) {
    Manifest manifest{report.protected_tables, report.shared_tables, report.exempt_tables, {}};
    for (const Finding& one : report.findings) {
        if (counts(one)) {
            manifest.findings.push_back({one.fingerprint, one.rule, one.object});
        }
    }
    // So that a change of the file shows what changed.
    std::sort(manifest.findings.begin(), manifest.findings.end(),
              [](const KnownFinding& one, const KnownFinding& other) {
                  return std::tie(one.rule, one.object, one.fingerprint) <
                         std::tie(other.rule, other.object, other.fingerprint);
              });
    return manifest;
}

Manifest read_manifest(const std::filesystem::path& file) {
    std::ifstream stream(file);
    std::ostringstream text;
    if (!stream || !(text << stream.rdbuf())) {
        throw ManifestError(file.string() + ": cannot be read; make it with --write-manifest");
    }
    try {
        return parsed(text.str());
    } catch (const nlohmann::json::exception& error) {
        throw ManifestError(file.string() + ": is no manifest: " + error.what() + "; " + remedy);
    } catch (const ManifestError& error) {
        throw ManifestError(file.string() + ": " + error.what());
    }
}

std::string manifest_text(const Manifest& manifest) {
    ordered_json findings = ordered_json::array();
    for (const KnownFinding& one : manifest.findings) {
        findings.push_back(
            {{"rule", one.rule}, {"object", one.object}, {"fingerprint", one.fingerprint}});
    }
    const ordered_json json{{"version", version},
                            {"protected", object_of(manifest.protected_tables)},
                            {"shared", object_of(manifest.shared_tables)},
                            {"exempt", object_of(manifest.exempt_tables)},
                            {"findings", findings}};
    return json.dump(2, ' ', false, ordered_json::error_handler_t::replace) + '\n';
}

bool knows(const Manifest& manifest, const Finding& finding) {
    return std::any_of(
        manifest.findings.begin(), manifest.findings.end(),
        [&](const KnownFinding& known) { return known.fingerprint == finding.fingerprint; });
}

std::vector<Difference> differences(const Manifest& manifest, const Report& report) {
    std::vector<Difference> all;
    compare("protected", manifest.protected_tables, report.protected_tables, all);
    compare("shared", manifest.shared_tables, report.shared_tables, all);
    compare("exempt", manifest.exempt_tables, report.exempt_tables, all);
    for (const Finding& one : report.findings) {
        if (counts(one) && !knows(manifest, one)) {
            all.push_back({"finding", one.rule + " " + one.object, "is new"});
        }
    }
    for (const KnownFinding& known : manifest.findings) {
        if (!is_found(report, known)) {
            all.push_back({"finding", known.rule + " " + known.object, "is gone"});
        }
    }
    return all;
}

} // namespace tenancy::sidecar::lint
