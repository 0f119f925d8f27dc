// One thread that turns PostgreSQL's notifications into signals for the others.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "reconcile/beat.hpp"
#include "reconcile/notifications.hpp"
#include "reconcile/pace.hpp"
#include "reconcile/store_context.hpp"
#include "reconcile/surroundings.hpp"

namespace tenancy::sidecar {

class Listener {
public:
    // Borrows `surroundings` and `contexts`.
    Listener(Surroundings& surroundings, std::span<const std::unique_ptr<StoreContext>> contexts,
             std::unique_ptr<Notifications> notifications)
        : surroundings_(surroundings), contexts_(contexts),
          notifications_(std::move(notifications)) {}

    // Listens until the shutdown begins. Throws nothing.
    void run(Beat& beat);
    // For another thread: ends a wait that is going on.
    void interrupt() { notifications_->interrupt(); }

private:
    struct Heard {
        bool any = false;
        bool other = false; // than a tenant's id: stores were defined, or the instance was bound
    };

    void listen(Beat& beat);
    [[nodiscard]] Heard hear(Deadline deadline);
    // How many tenants have been claimed so far.
    [[nodiscard]] std::uint64_t found() const;
    void probe();
    void wake_all();

    Surroundings& surroundings_;
    const std::span<const std::unique_ptr<StoreContext>> contexts_;
    const std::unique_ptr<Notifications> notifications_;
    bool warned_ = false;
    Pace pace_;
};

} // namespace tenancy::sidecar
