#include "check/finding.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "base/log.hpp"
#include "base/printable.hpp"
#include "command/terminal.hpp"

namespace tenancy::sidecar {
namespace {

const char* name_of(Finding::Level level) {
    switch (level) {
    case Finding::Level::ok:
        return "ok";
    case Finding::Level::warning:
        return "warning";
    case Finding::Level::failed:
        return "FAILED";
    }
    return "FAILED";
}

} // namespace

void Findings::ok(std::string subject, const std::string& message) {
    all_.push_back({Finding::Level::ok, std::move(subject), redact(message), ""});
}

void Findings::warning(std::string subject, const std::string& message, std::string next_step) {
    all_.push_back(
        {Finding::Level::warning, std::move(subject), redact(message), std::move(next_step)});
}

void Findings::failed(std::string subject, const std::string& message, std::string next_step) {
    all_.push_back(
        {Finding::Level::failed, std::move(subject), redact(message), std::move(next_step)});
}

void Findings::append(const Findings& more) {
    all_.insert(all_.end(), more.all_.begin(), more.all_.end());
}

std::size_t Findings::count(Finding::Level level) const {
    return static_cast<std::size_t>(std::count_if(
        all_.begin(), all_.end(), [level](const Finding& one) { return one.level == level; }));
}

bool Findings::any_failed() const {
    return count(Finding::Level::failed) > 0;
}

std::string Findings::text() const {
    std::vector<std::vector<std::string>> rows;
    for (const Finding& one : all_) {
        rows.push_back({name_of(one.level), one.subject, printable(one.message)});
        if (!one.next_step.empty()) {
            rows.push_back({"", "", "-> " + one.next_step});
        }
    }
    return table_text(rows) + '\n' + std::to_string(count(Finding::Level::failed)) + " failed, " +
           std::to_string(count(Finding::Level::warning)) + " warnings, " +
           std::to_string(count(Finding::Level::ok)) + " ok\n";
}

std::string Findings::json() const {
    nlohmann::ordered_json list = nlohmann::ordered_json::array();
    for (const Finding& one : all_) {
        list.push_back(
            {{"level", one.level == Finding::Level::failed ? "failed" : name_of(one.level)},
             {"subject", one.subject},
             {"message", one.message},
             {"next_step", one.next_step}});
    }
    const nlohmann::ordered_json whole{{"failed", count(Finding::Level::failed)},
                                       {"warnings", count(Finding::Level::warning)},
                                       {"findings", list}};
    return whole.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + '\n';
}

} // namespace tenancy::sidecar
