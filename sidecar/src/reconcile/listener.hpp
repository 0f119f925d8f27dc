// One thread that turns PostgreSQL's notifications into signals for the others.
#pragma once

#include <memory>
#include <span>

#include "reconcile/beat.hpp"
#include "reconcile/notifications.hpp"
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
    void listen(Beat& beat);
    void probe();
    void wake_all();

    Surroundings& surroundings_;
    const std::span<const std::unique_ptr<StoreContext>> contexts_;
    const std::unique_ptr<Notifications> notifications_;
    bool warned_ = false;
};

} // namespace tenancy::sidecar
