// From what a tenant should be in a store and what it is there to the steps between them. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/failure.hpp"
#include "store/model.hpp"

namespace tenancy::sidecar {

struct Plan {
    std::vector<Action> actions; // none: the store shows what is wanted
    bool drifted = false;        // the store has lost or changed what it had been given
    // What is wrong although the steps can be taken: to be told after them. With SettingsUnreadable
    // they show the tenant without settings.
    std::optional<Failure> flaw;
};

// The steps for one tenant, in order. `unknown_objects` is the store's policy: report, adopt,
// prune. Failures: UnknownState, SettingsUnreadable (permanent; no more than a flaw where something
// is taken away from the tenant), ForeignInstance (foreign), UnknownObjects (permanent: something
// without a marker is in the way), Superseded (superseded: the store holds a newer generation than
// the one that is wanted, and not the one that is disowned).
[[nodiscard]] Result<Plan> decide(const Desired& desired, const Observed& observed,
                                  const Uuid& instance, std::string_view unknown_objects);

} // namespace tenancy::sidecar
