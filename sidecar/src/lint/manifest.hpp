// The manifest: what a team has checked in of how its database is to be: which tables are
// protected, shared and exempt and why, and which findings it knows.
#pragma once

#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include "lint/finding.hpp"

namespace tenancy::sidecar::lint {

// The manifest cannot be read; says where and what to do.
class ManifestError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

struct KnownFinding {
    std::string fingerprint;
    std::string rule;
    std::string object;
};

struct Manifest {
    std::vector<Table> protected_tables;
    std::vector<Table> shared_tables;
    std::vector<Table> exempt_tables;
    std::vector<KnownFinding> findings; // errors and warnings
};

// One thing in which the database and the manifest differ.
struct Difference {
    std::string subject; // "protected", "shared", "exempt", "finding"
    std::string what;    // the table, or rule and object
    std::string message; // "is new", ...
};

[[nodiscard]] Manifest manifest_of(const Report& report);
// Throws ManifestError.
[[nodiscard]] Manifest read_manifest(const std::filesystem::path& file);
[[nodiscard]] std::string manifest_text(const Manifest& manifest);
[[nodiscard]] bool knows(const Manifest& manifest, const Finding& finding);
// What is new in the database, and what of the manifest is gone from it. Accepted findings and
// infos are no part of it.
[[nodiscard]] std::vector<Difference> differences(const Manifest& manifest, const Report& report);

} // namespace tenancy::sidecar::lint
