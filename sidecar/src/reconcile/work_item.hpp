// One claimed tenant on its way from claim to report.
#pragma once

#include <optional>
#include <string>

#include "config/config.hpp"
#include "postgres/registry.hpp"
#include "reconcile/decide.hpp"
#include "store/store.hpp"

namespace tenancy::sidecar {

struct WorkItem {
    Claim claim;
    Plan plan;
    bool planned = false; // the plan has been made; it was not when something failed before
    std::optional<Failure> failure; // the first
    std::optional<Failure> flaw;    // of the plan, from when it was first made
    bool begun = false;             // some plan had steps: what is missing later on is no drift
    bool drifted = false;           // the store was found changed before anything was begun
    bool applied = false;           // the plan has been carried out
    std::string shown;     // the tenant's state that the store shows, as far as it is known
    bool finished = false; // reported, or given up: not to be released any more

    [[nodiscard]] bool erases() const {
        return !plan.actions.empty() && plan.actions.front().kind == Action::Kind::erase;
    }
    // Nothing more is to be done in the store.
    [[nodiscard]] bool settled() const { return failure || applied; }
    // The lease was lost on the way, or time ran out: not the tenant's failure.
    [[nodiscard]] bool interrupted() const { return failure && failure->reason == "LeaseLost"; }
};

// What is reported of a settled item. `fraction` of [0, 1) spreads the retries.
[[nodiscard]] Report make_report(const WorkItem& item, const ReconcileConfig& config,
                                 double fraction);

// "converged", "retry", "parked".
[[nodiscard]] std::string_view name_of(Report::Outcome outcome);

} // namespace tenancy::sidecar
