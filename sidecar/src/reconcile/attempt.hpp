// One worker's dealings with a store over claimed tenants: verify the stamp, observe, decide,
// apply, erase. What becomes of the tenants is noted in their items; reporting it is the worker's.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/failure.hpp"
#include "postgres/registry.hpp"
#include "reconcile/instance_state.hpp"
#include "reconcile/lease.hpp"
#include "reconcile/stamp_check.hpp"
#include "reconcile/store_context.hpp"
#include "reconcile/surroundings.hpp"
#include "reconcile/work_item.hpp"
#include "store/store.hpp"

namespace tenancy::sidecar {

// The store did not answer, as told apart from PostgreSQL, which throws the same.
class StoreDown : public Unavailable {
public:
    explicit StoreDown(const Unavailable& problem)
        : Unavailable(problem.reason(), problem.what()) {}
};

// The same of what was asked about tenants, for a reason that one of them may be.
class Unanswered : public StoreDown {
public:
    using StoreDown::StoreDown;
};

// What a worker has claimed at once.
struct Round {
    InstanceView view;
    std::shared_ptr<const StoreDefinition> definition;
    Lease lease; // of all items that are not settled
    std::vector<WorkItem> items;
    std::optional<Deadline> erasing_until; // once it has begun

    [[nodiscard]] bool over() const {
        return lease.over() || (erasing_until && erasing_until->passed());
    }
};

using Chosen = std::vector<WorkItem*>; // of a round

// Unless said otherwise everything throws StoreDown, Unanswered among it.
class Attempt {
public:
    // In leases: erasing goes on for as long as its lease is extended, but not without end.
    static constexpr int longest_erasing = 10;

    // Borrows all; used by the thread that owns registry and store.
    Attempt(Surroundings& surroundings, StoreContext& context, Registry& registry, Store& store)
        : surroundings_(surroundings), context_(context), registry_(registry), store_(store),
          stamp_check_(context.config.name, store, registry), name_(context.config.name) {}

    // False when the stamp is not ours; then the gate is shut.
    [[nodiscard]] bool verify(const Round& round);
    // Everything but erasing, whose plan is made. What is asked takes no longer than `patience`,
    // but for collections and indexes. False as verify().
    [[nodiscard]] bool converge(Round& round, const Chosen& chosen, Milliseconds patience);
    // Those whose plan it is; keeps the lease of whatever is unsettled. False as verify().
    [[nodiscard]] bool erase(Round& round, const Chosen& chosen);
    // Whether the store is there at all, asked for something small. Throws nothing.
    [[nodiscard]] bool answers();

private:
    bool restrict_first(Round& round, const Chosen& chosen, Deadline deadline);
    void observe(const Round& round, const Chosen& chosen, Deadline deadline);
    void look_behind(const Round& round, Desired& desired, const Observed& observed);
    static void plan(const Round& round, WorkItem& item, const Result<Observed>& found);
    void apply(const Round& round, const Chosen& chosen, const std::function<bool()>& alive,
               Deadline deadline);
    // `shown`: what the store showed before.
    void settle(WorkItem& item, const Outcome& outcome, std::string shown);
    // Whether what was just observed is of a server with our stamp; false as verify().
    [[nodiscard]] bool vouch(const Round& round);
    // Whether the daemon may still write for the round: another database may have taken its place.
    [[nodiscard]] bool may_go_on(const Round& round) const;
    [[nodiscard]] bool keep_lease(Round& round);

    Surroundings& surroundings_;
    StoreContext& context_;
    Registry& registry_;
    Store& store_;
    StampCheck stamp_check_;
    const std::string name_;
};

} // namespace tenancy::sidecar
