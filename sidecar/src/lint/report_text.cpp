#include <algorithm>

#include "base/printable.hpp"
#include "lint/report.hpp"

namespace tenancy::sidecar::lint {
namespace {

constexpr std::size_t shown_objects = 5; // of a rule, unless all are asked for
constexpr std::size_t line_width = 100;

std::string upper(std::string_view word) {
    std::string text(word);
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    return text;
}

std::string counted(std::size_t n, const std::string& what) {
    return std::to_string(n) + ' ' + what + (n == 1 ? "" : "s");
}

// Lines of words, each behind two blanks.
std::string wrapped(const std::string& text) {
    std::string lines;
    std::string line = " ";
    std::size_t begin = 0;
    while (begin < text.size()) {
        const std::size_t end = std::min(text.find(' ', begin), text.size());
        const std::string word = text.substr(begin, end - begin);
        if (line.size() + 1 + word.size() > line_width && line.size() > 1) {
            lines += line + '\n';
            line = " ";
        }
        line += ' ' + word;
        begin = end + 1;
    }
    return lines + line + '\n';
}

using Group = std::vector<const Finding*>;

std::string group_text(const Group& group, bool all) {
    const Finding& first = *group.front();
    std::string text = upper(word_of(first.severity)) + "  " + first.rule +
                       (group.size() > 1 ? "  (" + std::to_string(group.size()) + ')' : "") + '\n' +
                       wrapped(printable(first.why)) +
                       "  Shown by: " + printable(first.demonstration) + '\n';
    const std::size_t shown = all ? group.size() : std::min(group.size(), shown_objects);
    for (std::size_t i = 0; i < shown; ++i) {
        text +=
            "  * " + printable(group[i]->message) + "\n    -> " + printable(group[i]->fix) + '\n';
    }
    if (shown < group.size()) {
        text += "  and " + std::to_string(group.size() - shown) + " more (--all shows them)\n";
    }
    return text + '\n';
}

bool is_known(const Outcome& outcome, const Finding& one) {
    return outcome.compared && knows(outcome.compared->manifest, one);
}

bool is_shown(const Outcome& outcome, const Finding& one) {
    return !one.accepted &&
           (outcome.all || (one.severity != Severity::info && !is_known(outcome, one)));
}

// Those of a rule and a severity together, in their order.
std::vector<Group> groups(const Outcome& outcome) {
    std::vector<Group> found;
    for (const Finding& one : outcome.report.findings) {
        if (!is_shown(outcome, one)) {
            continue;
        }
        if (found.empty() || found.back().front()->rule != one.rule ||
            found.back().front()->severity != one.severity) {
            found.emplace_back();
        }
        found.back().push_back(&one);
    }
    return found;
}

std::string differences_text(const Compared& compared) {
    std::string text = "Compared with " + compared.file + ": ";
    if (compared.differences.empty()) {
        return text + "no difference.\n";
    }
    text += counted(compared.differences.size(), "difference") + ".\n";
    for (const Difference& one : compared.differences) {
        text +=
            "  * " + one.subject + ' ' + printable(one.what) + ' ' + printable(one.message) + '\n';
    }
    return text + "  -> If they are meant: tenancyd lint --write-manifest " + compared.file +
           ", and have the change reviewed.\n";
}

std::string counts_text(const Outcome& outcome) {
    const Report& report = outcome.report;
    const auto known = static_cast<std::size_t>(
        std::count_if(report.findings.begin(), report.findings.end(),
                      [&](const Finding& one) { return !one.accepted && is_known(outcome, one); }));
    std::string text = printable(report.database) + ": " +
                       counted(report.count(Severity::error), "error") + ", " +
                       counted(report.count(Severity::warning), "warning") + ", " +
                       counted(report.count(Severity::info), "info");
    if (known > 0) {
        text += ", " + std::to_string(known) + " of them in the manifest";
    }
    if (report.accepted() > 0) {
        text += ", " + std::to_string(report.accepted()) + " accepted";
    }
    const bool hidden = !outcome.all && known + report.count(Severity::info) > 0;
    return text + (hidden ? " (--all shows them all).\n" : ".\n");
}

std::string next_step(const Report& report) {
    if (report.count(Severity::error) + report.count(Severity::warning) == 0) {
        return "";
    }
    return std::string("Begin at the top; each fix is behind its ->. What is meant to be so: ") +
           (report.extension ? "tenancy.suppress_finding(rule, object, reason, until), or a "
                               "manifest (--write-manifest).\n"
                             : "a manifest (--write-manifest).\n") +
           "Every rule is explained in docs/reference/findings.md.\n";
}

} // namespace

std::string as_text(const Outcome& outcome) {
    std::string text;
    for (const Group& group : groups(outcome)) {
        text += group_text(group, outcome.all);
    }
    text += counts_text(outcome);
    if (!outcome.report.extension) {
        text +=
            "The extension is not here: tables were guessed by their column (--tenant-column).\n";
    }
    if (outcome.compared) {
        return text + differences_text(*outcome.compared);
    }
    return text + next_step(outcome.report);
}

} // namespace tenancy::sidecar::lint
