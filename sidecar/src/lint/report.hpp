// The report in its three forms.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lint/finding.hpp"
#include "lint/manifest.hpp"

namespace tenancy::sidecar::lint {

// With a manifest: what it knows, and in what it differs.
struct Compared {
    std::string file;
    Manifest manifest;
    std::vector<Difference> differences;
};

struct Outcome {
    Report report;
    std::optional<Compared> compared;
    bool all = false; // as text: infos as well, and every object
};

// For people: findings by rule with their fix, counts, and what to do next.
[[nodiscard]] std::string as_text(const Outcome& outcome);
// {"database", "errors", "warnings", "infos", "accepted", "findings", "differences"}
[[nodiscard]] std::string as_json(const Outcome& outcome);
// SARIF 2.1.0 (OASIS). With a manifest, each result lies in that file, for what shows results only
// beside files.
[[nodiscard]] std::string as_sarif(const Outcome& outcome);

} // namespace tenancy::sidecar::lint
