// Steps that make a collection what its template says. All are idempotent: what exists or is gone
// already is fine. Each throws Unavailable, CommandError, or DocumentError.
#pragma once

#include <string>

#include "mongodb/session.hpp"
#include "store/model.hpp"

namespace tenancy::sidecar::mongodb {

// With its validator, without its indexes. One that exists gets the validator.
void create_collection(Session& session, const std::string& database,
                       const CollectionTemplate& collection, Deadline deadline);
// Enforced on every write; a template without a validator takes it away.
void set_validator(Session& session, const std::string& database,
                   const CollectionTemplate& collection, Deadline deadline);
void create_index(Session& session, const std::string& database, const std::string& collection,
                  const IndexTemplate& index, Deadline deadline);
// Between the two halves the collection is without the index.
void replace_index(Session& session, const std::string& database, const std::string& collection,
                   const IndexTemplate& index, Deadline deadline);
// Replaces the index where the server cannot change what there is.
void set_ttl(Session& session, const std::string& database, const std::string& collection,
             const IndexTemplate& index, Deadline deadline);
void drop_index(Session& session, const std::string& database, const std::string& collection,
                const std::string& index, Deadline deadline);
void drop_collection(Session& session, const std::string& database, const std::string& collection,
                     Deadline deadline);

} // namespace tenancy::sidecar::mongodb
