// What databases, collections and indexes a server has.
#pragma once

#include <string>
#include <vector>

#include "mongodb/session.hpp"
#include "store/model.hpp"

namespace tenancy::sidecar::mongodb {

// The names of all databases that begin so; the prefix is not quoted, and may hold no special
// character of regular expressions.
[[nodiscard]] std::vector<std::string>
databases_beginning(Session& session, const std::string& prefix, Deadline deadline);
// Those of the named databases that exist.
[[nodiscard]] std::vector<std::string>
databases_among(Session& session, const std::vector<std::string>& names, Deadline deadline);

// As listCollections answers: name, type, options.
[[nodiscard]] std::vector<OrderedJson>
list_collections(Session& session, const std::string& database, Deadline deadline);

// The tenant's collections among those listed, the ones in `wanted` with their indexes, and what
// means the same as there in its words (in_words_of).
[[nodiscard]] Templates read_collections(Session& session, const std::string& database,
                                         const std::vector<OrderedJson>& listed,
                                         const Templates& wanted, Deadline deadline);

} // namespace tenancy::sidecar::mongodb
