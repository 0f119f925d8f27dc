#include <nlohmann/json.hpp>

#include "base/version.hpp"
#include "lint/report.hpp"

namespace tenancy::sidecar::lint {
namespace {

using nlohmann::ordered_json;

constexpr const char* schema =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

std::string dumped(const ordered_json& json) {
    return json.dump(2, ' ', false, ordered_json::error_handler_t::replace) + '\n';
}

ordered_json finding_json(const Finding& one, const std::optional<Compared>& compared) {
    ordered_json json{{"rule", one.rule},
                      {"severity", word_of(one.severity)},
                      {"object_type", one.object_type},
                      {"object", one.object},
                      {"message", one.message},
                      {"why", one.why},
                      {"demonstration", one.demonstration},
                      {"fix", one.fix},
                      {"fingerprint", one.fingerprint},
                      {"accepted", one.accepted ? ordered_json(*one.accepted) : ordered_json()}};
    if (compared) {
        json["known"] = knows(compared->manifest, one);
    }
    return json;
}

ordered_json differences_json(const std::optional<Compared>& compared) {
    if (!compared) {
        return nullptr;
    }
    ordered_json list = ordered_json::array();
    for (const Difference& one : compared->differences) {
        list.push_back({{"subject", one.subject}, {"what", one.what}, {"message", one.message}});
    }
    return list;
}

const char* level_of(Severity severity) {
    return severity == Severity::error     ? "error"
           : severity == Severity::warning ? "warning"
                                           : "note";
}

ordered_json text_json(const std::string& text) {
    return {{"text", text}};
}

// "C02_owner_without_force" as "OwnerWithoutForce".
std::string name_of(const std::string& rule) {
    std::string name;
    bool capital = true;
    for (const char c : rule.substr(std::min(rule.find('_'), rule.size()))) {
        if (c != '_') {
            name += capital ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : c;
        }
        capital = c == '_';
    }
    return name;
}

ordered_json rule_json(const Rule& rule) {
    return {{"id", rule.id},
            {"name", name_of(rule.id)},
            {"shortDescription", text_json(rule.message)},
            {"fullDescription", text_json(rule.why)},
            {"help", text_json(rule.why + "\nFix: " + rule.fix)},
            {"defaultConfiguration", {{"level", level_of(rule.severity)}}}};
}

std::size_t index_of(const Report& report, const std::string& rule) {
    std::size_t index = 0;
    while (index < report.rules.size() && report.rules[index].id != rule) {
        ++index;
    }
    return index;
}

ordered_json location_json(const Finding& one, const std::optional<Compared>& compared) {
    ordered_json location{
        {"logicalLocations", {{{"fullyQualifiedName", one.object}, {"kind", one.object_type}}}}};
    if (compared) {
        location["physicalLocation"] = {{"artifactLocation", {{"uri", compared->file}}},
                                        {"region", {{"startLine", 1}}}};
    }
    return location;
}

ordered_json result_json(const Finding& one, const Outcome& outcome) {
    ordered_json result{{"ruleId", one.rule},
                        {"ruleIndex", index_of(outcome.report, one.rule)},
                        {"level", level_of(one.severity)},
                        {"message", text_json(one.message + "\nFix: " + one.fix)},
                        {"locations", {location_json(one, outcome.compared)}},
                        {"partialFingerprints", {{"tenancyFinding/v1", one.fingerprint}}}};
    if (outcome.compared) {
        result["baselineState"] = knows(outcome.compared->manifest, one) ? "unchanged" : "new";
    }
    if (one.accepted) {
        result["suppressions"] = {
            {{"kind", "external"}, {"status", "accepted"}, {"justification", *one.accepted}}};
    }
    return result;
}

} // namespace

std::string as_json(const Outcome& outcome) {
    const Report& report = outcome.report;
    ordered_json findings = ordered_json::array();
    for (const Finding& one : report.findings) {
        findings.push_back(finding_json(one, outcome.compared));
    }
    return dumped({{"database", report.database},
                   {"extension", report.extension},
                   {"errors", report.count(Severity::error)},
                   {"warnings", report.count(Severity::warning)},
                   {"infos", report.count(Severity::info)},
                   {"accepted", report.accepted()},
                   {"findings", findings},
                   {"differences", differences_json(outcome.compared)}});
}

std::string as_sarif(const Outcome& outcome) {
    ordered_json rules = ordered_json::array();
    for (const Rule& rule : outcome.report.rules) {
        rules.push_back(rule_json(rule));
    }
    ordered_json results = ordered_json::array();
    for (const Finding& one : outcome.report.findings) {
        results.push_back(result_json(one, outcome));
    }
    const ordered_json driver{{"name", "tenancyd lint"}, {"version", version}, {"rules", rules}};
    return dumped({{"$schema", schema},
                   {"version", "2.1.0"},
                   {"runs", {{{"tool", {{"driver", driver}}}, {"results", results}}}}});
}

} // namespace tenancy::sidecar::lint
