// What a server can do, found out by trying it in a scratch database.
#pragma once

#include <map>
#include <string>

#include "mongodb/session.hpp"
#include "store/model.hpp"

namespace tenancy::sidecar::mongodb {

// What was tried, by capability; empty: it works, else why it does not.
//   list_databases, publish, drop_database, validator, change_validator, unique_index, ttl_index,
//   change_ttl, partial_index, sparse_index, collation_index
struct Trial {
    std::string product;
    std::string version;
    bool replicated = false;
    std::map<std::string, std::string> results;
};

// Makes a database tenancy_probe_<time>_<random> and drops it; those that an interrupted one left
// behind are dropped, too. Throws Unavailable, except for privileges that are lacking.
[[nodiscard]] Trial try_server(Session& session, Deadline deadline);

// What of it is missing for these templates.
[[nodiscard]] Capabilities judge(const Trial& trial, const Templates& templates);

} // namespace tenancy::sidecar::mongodb
