// What a Redis server can do for a store and what it lacks, found out by asking and trying.
#pragma once

#include <string>
#include <vector>

#include "config/config.hpp"
#include "redis/nodes.hpp"
#include "store/model.hpp"

namespace tenancy::sidecar::redis {

// Writes nothing. Throws Unavailable when the server does not answer.
[[nodiscard]] Capabilities inspect(const StoreConfig& config, const std::vector<Address>& addresses,
                                   const Access& access, Nodes& nodes, Deadline deadline);

// Store::runs(): of every primary the id of its process, and that of its data's replication, which
// changes as well when the data come from elsewhere.
[[nodiscard]] std::string runs_of(Nodes& nodes, Deadline deadline);

} // namespace tenancy::sidecar::redis
