// One thread's work on one store: claim, verify the stamp, observe, decide, apply, report.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/deadline.hpp"
#include "postgres/connection.hpp"
#include "postgres/registry.hpp"
#include "reconcile/beat.hpp"
#include "reconcile/lease.hpp"
#include "reconcile/reporter.hpp"
#include "reconcile/stamp_check.hpp"
#include "reconcile/store_context.hpp"
#include "reconcile/surroundings.hpp"
#include "reconcile/work_item.hpp"
#include "store/store.hpp"

namespace tenancy::sidecar {

class StoreWorker {
public:
    // Borrows `surroundings` and `context`, which it shares with other threads.
    StoreWorker(Surroundings& surroundings, StoreContext& context,
                std::unique_ptr<Registry> registry, std::unique_ptr<Store> store);

    // Works until the shutdown begins. Throws nothing.
    void run(Beat& beat);

    // One batch at most. True when there may be more to do at once.
    bool run_once();

private:
    using Items = std::vector<WorkItem>;

    bool work_on(const InstanceView& view, unsigned most);
    [[nodiscard]] std::vector<Claim> claim(const InstanceView& view, unsigned most);
    void follow_definition(std::vector<Claim>& claims);
    // All that needs the store, and the reports; false when the stamp is not ours. Throws
    // StoreDown.
    bool reconcile(const InstanceView& view, Items& items);
    bool verify(const InstanceView& view);
    void observe(const InstanceView& view, Items& items);
    void look_behind(const InstanceView& view, Desired& desired, const Observed& observed);
    void plan(const InstanceView& view, WorkItem& item, const Result<Observed>& found);
    void apply(const InstanceView& view, const std::vector<WorkItem*>& chosen, bool erasing);
    void settle(WorkItem& item, const Outcome& outcome);
    [[nodiscard]] bool keep_lease(const std::vector<WorkItem*>& chosen);
    void report_done(const InstanceView& view, Items& items);
    void release(const Items& items);
    void store_down(const InstanceView& view, Items& items, const Unavailable& problem);
    void postgres_down(const std::string& what);
    [[nodiscard]] Milliseconds wait_time();

    Surroundings& surroundings_;
    StoreContext& context_;
    std::unique_ptr<Registry> registry_;
    std::unique_ptr<Store> store_;
    StampCheck stamp_check_;
    Reporter reporter_;
    const std::string name_;
    std::shared_ptr<const StoreDefinition> definition_;
    Lease lease_{Milliseconds::zero()}; // of the last claim
    std::optional<Deadline> next_try_;  // after an error of PostgreSQL
    std::int64_t postgres_failures_ = 0;
};

} // namespace tenancy::sidecar
