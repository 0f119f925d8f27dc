// What there is of a tenant in the store.
#pragma once

#include "base/failure.hpp"
#include "mongodb/session.hpp"
#include "store/model.hpp"

namespace tenancy::sidecar::mongodb {

// One find for a tenant that was there before and has no templates; one listCollections for one
// that is not there; both, and a listIndexes for each collection of the templates, otherwise. Of
// collections that are in no template only names and validators are told, and without any templates
// none at all: then what is in the database is the application's own affair.
[[nodiscard]] Result<Observed> observe_tenant(Session& session, const Desired& desired,
                                              const Templates& templates, Deadline deadline);

} // namespace tenancy::sidecar::mongodb
