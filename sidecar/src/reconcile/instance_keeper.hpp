// One thread that knows whether this daemon may write: it compares the database with this host's
// memory, binds what is new, gives the heartbeat, reads the stores' definitions and runs schedules.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <span>

#include "config/config.hpp"
#include "postgres/registry.hpp"
#include "reconcile/beat.hpp"
#include "reconcile/fence.hpp"
#include "reconcile/store_context.hpp"
#include "reconcile/surroundings.hpp"

namespace tenancy::sidecar {

class InstanceKeeper {
public:
    using Contexts = std::span<const std::unique_ptr<StoreContext>>;

    // Borrows `surroundings` and `contexts`.
    InstanceKeeper(Surroundings& surroundings, std::filesystem::path state_directory,
                   Contexts contexts, std::unique_ptr<Registry> registry);

    // Keeps until the shutdown begins. Throws nothing.
    void run(Beat& beat);

    // Looks once. Never throws: what goes wrong is told in the instance's state.
    void run_once();

private:
    struct StoresSeen { // those that are attached
        bool all_tried = true;
        bool contested = false;
        bool reachable = false; // one of them, or there is none
    };

    void look();
    void know(const InstanceIdentity& identity);
    [[nodiscard]] StoresSeen look_at_stores() const;
    void keep(const InstanceIdentity& identity);
    void bind(const InstanceIdentity& identity);
    void remember(const InstanceIdentity& identity);
    [[nodiscard]] std::optional<Verdict> not_fresh() const;
    void read_definitions();
    void measure_lag();
    void forget_lag();
    void run_schedule();
    void observe_only(const Verdict& verdict);
    void publish(InstanceView view);

    Surroundings& surroundings_;
    const std::filesystem::path directory_;
    const Contexts contexts_;
    const std::unique_ptr<Registry> registry_;
    Deadline schedule_at_ = Deadline::in(Milliseconds::zero());
    std::int64_t failures_ = 0;
};

} // namespace tenancy::sidecar
