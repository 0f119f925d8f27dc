// What a Redis server can do for a store and what it lacks, found out by asking and trying.
#pragma once

#include <vector>

#include "config/config.hpp"
#include "redis/nodes.hpp"
#include "store/model.hpp"

namespace tenancy::sidecar::redis {

// Writes nothing. Throws Unavailable when the server does not answer.
[[nodiscard]] Capabilities inspect(const StoreConfig& config, const std::vector<Address>& addresses,
                                   const Access& access, Nodes& nodes, Deadline deadline);

} // namespace tenancy::sidecar::redis
