// Walks over keys with SCAN: every database of every primary. Never KEYS, which holds the server
// up.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "redis/nodes.hpp"

namespace tenancy::sidecar::redis {

struct Place {
    Address node;
    std::int64_t database = 0;
};

// Gets the matching keys as they come; false stops the walk.
using Visit = std::function<bool(const Place&, const std::vector<Reply>& keys)>;

// How fast to walk: `rate` keys looked at in a second, 0 for as fast as the server answers. While
// waiting `pause` is called at least twice a second; false stops the walk.
struct Pace {
    unsigned rate = 0;
    std::function<bool()> pause;
};

// Databases of the node that hold a key now.
[[nodiscard]] std::vector<std::int64_t> databases_at(Nodes& nodes, const Address& node,
                                                     Deadline deadline);

// Visits each key that matches and is there all the time at least once. False when stopped. Throws
// Unavailable, also when the deadline passes.
[[nodiscard]] bool walk(Nodes& nodes, const std::vector<Address>& primaries,
                        const std::string& pattern, const Pace& pace, const Visit& visit,
                        Deadline deadline);

} // namespace tenancy::sidecar::redis
