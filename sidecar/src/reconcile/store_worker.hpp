// One thread's work on one store: claim, verify the stamp, observe, decide, apply, report. Those
// that are to be erased are another thread's: erasing takes long, and nobody else is to wait for
// it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/deadline.hpp"
#include "postgres/connection.hpp"
#include "postgres/registry.hpp"
#include "reconcile/attempt.hpp"
#include "reconcile/beat.hpp"
#include "reconcile/reporter.hpp"
#include "reconcile/store_context.hpp"
#include "reconcile/surroundings.hpp"
#include "reconcile/work_item.hpp"
#include "store/store.hpp"

namespace tenancy::sidecar {

class StoreWorker {
public:
    // Borrows `surroundings` and `context`, which it shares with other threads.
    StoreWorker(Surroundings& surroundings, StoreContext& context, Task task,
                std::unique_ptr<Registry> registry, std::unique_ptr<Store> store);

    // Works until the shutdown begins. Throws nothing.
    void run(Beat& beat);

    // One batch at most. True when there may be more to do at once.
    bool run_once();

private:
    enum class Step : std::uint8_t { converge, erase };
    struct Groups {
        Chosen urgent, others, suspects;
    };

    bool work_on(const InstanceView& view, unsigned most);
    [[nodiscard]] Round claim(const InstanceView& view, unsigned most);
    void follow_definition(std::vector<Claim>& claims);
    // All that needs the store, and the reports; false when the stamp is not ours. Like those that
    // follow it throws StoreDown.
    bool reconcile(Round& round);
    [[nodiscard]] Groups divide(std::vector<WorkItem>& items) const;
    bool take(Round& round, const Chosen& chosen, Step step, Milliseconds patience);
    void note_suspects(const Chosen& chosen);
    // Each alone where the store does not answer in time about all of them.
    bool together(Round& round, const Chosen& group, Step step);
    // Charges the tenant when the store answers, and not about it.
    bool alone(Round& round, WorkItem& item, Step step);
    bool try_suspect(Round& round, const Chosen& suspects);
    void report_done(const Round& round, const Chosen& chosen);
    void release(const Round& round);
    void store_down(Round& round, const Unavailable& problem);
    void postgres_down(const std::string& what);
    [[nodiscard]] Milliseconds wait_time();

    Surroundings& surroundings_;
    StoreContext& context_;
    const Task task_;
    Wakeup& wakeup_;
    std::unique_ptr<Registry> registry_;
    std::unique_ptr<Store> store_;
    Attempt attempt_;
    Reporter reporter_;
    const std::string name_;
    std::shared_ptr<const StoreDefinition> definition_;
    std::optional<Deadline> next_try_; // after an error of PostgreSQL
    std::int64_t postgres_failures_ = 0;
    bool slowed_ = false; // in this round
};

} // namespace tenancy::sidecar
