// All threads that keep the stores in step with PostgreSQL: one that listens, one that keeps the
// instance (heartbeat, identity, schedule), and for each store its keeper, its workers (one of them
// erases) and its scanner.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/deadline.hpp"
#include "config/config.hpp"
#include "postgres/registry.hpp"
#include "reconcile/statistics.hpp"
#include "store/store.hpp"

namespace tenancy::sidecar {

class Notifications;

// How sessions are made; a test puts its own in.
struct SessionFactories {
    std::function<std::unique_ptr<Registry>()> registry;
    std::function<std::unique_ptr<Store>(const StoreConfig&)> store;
    std::function<std::unique_ptr<Notifications>()> notifications;
};

// Over PostgreSQL and the stores as configured; the reference is kept.
[[nodiscard]] SessionFactories real_sessions(const Config& config);

struct Readiness {
    bool ready = false;     // PostgreSQL answers and every thread runs; fenced is ready, too
    bool observing = false; // nothing is written to any store
    std::vector<std::string> reasons; // why not ready, why observing, which stores are down
};

class Reconciler {
public:
    // Both references are kept. Throws ConfigError when a store's or PostgreSQL's configuration
    // cannot be used.
    Reconciler(const Config& config, Statistics& statistics);
    Reconciler(const Config& config, Statistics& statistics, const SessionFactories& factories);
    // stop()s, with half a minute for it, when that was not done.
    ~Reconciler();
    Reconciler(const Reconciler&) = delete;
    Reconciler& operator=(const Reconciler&) = delete;

    // Starts the threads and returns at once; needs neither PostgreSQL nor a store to be there.
    void start();

    // No new claims; batches that run are finished, or given back when the deadline comes first.
    // Returns when all threads have ended; each is in a call that has a time limit of its own.
    void stop(Deadline deadline);

    [[nodiscard]] Readiness ready() const;

    // Whether every thread has made progress lately: for the watchdog. A store or a PostgreSQL
    // that is down is no reason to be unhealthy.
    [[nodiscard]] bool healthy() const;

private:
    class Threads;
    std::unique_ptr<Threads> threads_;
};

} // namespace tenancy::sidecar
