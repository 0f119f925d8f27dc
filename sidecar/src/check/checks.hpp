// The parts of `tenancyd check`. None of them writes to PostgreSQL, and none throws for what it is
// there to find out.
#pragma once

#include <optional>
#include <string>

#include "check/finding.hpp"
#include "command/commands.hpp"
#include "config/config.hpp"

namespace tenancy::sidecar {

// The main target and each of the nodes: reachable, version, library, extension, role, recovery;
// and that all are one cluster with one version of the extension.
void check_nodes(const Config& config, Findings& findings);

// Who this database and this host are, and whether they agree. `stamped`: a store that belongs to
// an instance although the database belongs to none.
void check_instance(const Config& config, const std::optional<std::string>& stamped,
                    Findings& findings);

// That a role can read all that a dump has to have; with `dump`, that pg_dump gets through.
void check_backup(const Config& config, const CheckOptions& options, Findings& findings);

// Each store of the configuration and of the database: in both, reachable, able, and ours. Returns
// the first that belongs to an instance although the database belongs to none.
[[nodiscard]] std::optional<std::string> check_stores(const Config& config, Findings& findings);

} // namespace tenancy::sidecar
