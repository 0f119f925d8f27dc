// All tenants that have keys in a store, with how many and where.
#pragma once

#include <functional>
#include <vector>

#include "redis/nodes.hpp"
#include "store/model.hpp"

namespace tenancy::sidecar::redis {

// Store::list(). Keeps no keys, only the namespaces seen; of those that stand for no tenant only so
// many. `batch` gets the objects when the walk is over, and twice a second nothing at all, so that
// it can stop the walk. `rate` as of Pace.
void list_tenants(Nodes& nodes, unsigned rate,
                  const std::function<bool(std::vector<FoundObject>)>& batch, Deadline deadline);

} // namespace tenancy::sidecar::redis
