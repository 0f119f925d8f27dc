// The steps of one tenant's work in its database.
#pragma once

#include <functional>
#include <optional>

#include "base/failure.hpp"
#include "mongodb/namespaces.hpp"
#include "mongodb/session.hpp"
#include "store/store.hpp"

namespace tenancy::sidecar::mongodb {

// What the steps work with, the same for all tenants of a call; all borrowed.
struct Bench {
    Session& session;
    NamespaceCount& namespaces;
    const StoreDefinition& definition;
    const Uuid& instance;
    const std::function<bool()>& alive;
    Deadline deadline;
};

// Takes the steps in order until one fails. Each may be taken again after it was interrupted at any
// place. Throws Unavailable.
[[nodiscard]] Outcome take_steps(const Bench& bench, const Work& work);

// The templates of a tenant: its own, or the definition's.
[[nodiscard]] const Templates& templates_of(const Desired& desired,
                                            const StoreDefinition& definition);

} // namespace tenancy::sidecar::mongodb
