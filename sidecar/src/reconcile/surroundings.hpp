// What all threads of the reconciler share.
#pragma once

#include <atomic>

#include "config/config.hpp"
#include "reconcile/instance_state.hpp"
#include "reconcile/shutdown.hpp"
#include "reconcile/statistics.hpp"
#include "reconcile/wakeup.hpp"

namespace tenancy::sidecar {

struct Surroundings {
    Surroundings(const ReconcileConfig& reconcile, Milliseconds longest, Statistics& counted)
        : config(reconcile), longest_call(longest), statistics(counted) {}

    const ReconcileConfig config;
    // No single call to PostgreSQL or to a store takes longer: what threads promise the watchdog
    // goes by it.
    const Milliseconds longest_call;
    Statistics& statistics;
    InstanceState instance;
    Wakeup look_at_instance;
    Shutdown shutdown;
    std::atomic<bool> notified{false}; // notifications arrive, so polling may be slow

    // How long to wait for a notification that may have been lost.
    [[nodiscard]] Milliseconds poll() const {
        return notified ? config.poll : std::min(config.poll, Milliseconds(1000));
    }
};

} // namespace tenancy::sidecar
