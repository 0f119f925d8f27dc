// What the threads of one store share.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "config/config.hpp"
#include "reconcile/backoff.hpp"
#include "reconcile/breaker.hpp"
#include "reconcile/suspects.hpp"
#include "reconcile/wakeup.hpp"
#include "store/store.hpp"

namespace tenancy::sidecar {

// Whether the store may be written to.
struct Gate {
    bool open = false;
    bool fenced = false; // closed because of the stamp
    std::string reason = "Starting";
    std::string message = "the store has not been looked at yet";
};

// What the keeper has seen of the store's stamp, whoever's it is.
enum class StampSeen : std::uint8_t { not_tried, unreachable, none, present };

class StoreContext {
public:
    StoreContext(const StoreConfig& store, const ReconcileConfig& reconcile)
        : config(store),
          breaker(reconcile.backoff_first, longest_wait(reconcile), store.batch, random_fraction) {}

    const StoreConfig config;
    Breaker breaker;
    Suspects suspects;
    std::atomic<std::uint64_t> claimed{0}; // tenants so far

    Wakeup due;          // a tenant that is to be there is due
    Wakeup due_to_erase; // one that is to be gone is due
    Wakeup stamp;        // the stamp has to be looked at
    Wakeup scan;         // the store has to be compared as a whole

    // As PostgreSQL defines the store; nothing while it is not attached.
    [[nodiscard]] std::shared_ptr<const StoreDefinition> definition() const {
        const std::lock_guard lock(mutex_);
        return definition_;
    }
    // Keeps what is there when the generation is the same, so that a pointer tells of a change.
    // True when it is attached or not otherwise than before, or this is known for the first time.
    bool define(std::shared_ptr<const StoreDefinition> definition) {
        const std::lock_guard lock(mutex_);
        const bool news = !definitions_read_ || (definition == nullptr) != (definition_ == nullptr);
        definitions_read_ = true;
        if (!definition || !definition_ || definition->generation != definition_->generation) {
            definition_ = std::move(definition);
        }
        return news;
    }
    // Whether PostgreSQL has been asked for the definitions yet.
    [[nodiscard]] bool definitions_read() const {
        const std::lock_guard lock(mutex_);
        return definitions_read_;
    }

    [[nodiscard]] Gate gate() const {
        const std::lock_guard lock(mutex_);
        return gate_;
    }
    // True when it is open or shut otherwise than before, or for another reason.
    bool set_gate(Gate gate) {
        const std::lock_guard lock(mutex_);
        const bool changed = gate.open != gate_.open || gate.reason != gate_.reason;
        gate_ = std::move(gate);
        return changed;
    }

    [[nodiscard]] StampSeen stamp_seen() const {
        const std::lock_guard lock(mutex_);
        return stamp_seen_;
    }
    void set_stamp_seen(StampSeen seen) {
        const std::lock_guard lock(mutex_);
        stamp_seen_ = seen;
    }

    // Whether the stamp shows that another copy of the database is at work: then no tick is taken
    // either, so that a copy cannot catch up with its original by waiting.
    [[nodiscard]] bool contested() const {
        const std::lock_guard lock(mutex_);
        return contested_;
    }
    void set_contested(bool contested) {
        const std::lock_guard lock(mutex_);
        contested_ = contested;
    }

    // Somebody is due, and it is not known who.
    void signal_work() {
        due.signal();
        due_to_erase.signal();
    }

    void stop() {
        due.stop();
        due_to_erase.stop();
        stamp.stop();
        scan.stop();
    }

private:
    // A store that comes back should not wait as long as a tenant that fails.
    static Milliseconds longest_wait(const ReconcileConfig& reconcile) {
        return std::min(reconcile.backoff_most, reconcile.tick);
    }

    mutable std::mutex mutex_;
    std::shared_ptr<const StoreDefinition> definition_;
    bool definitions_read_ = false;
    Gate gate_;
    StampSeen stamp_seen_ = StampSeen::not_tried;
    bool contested_ = false;
};

} // namespace tenancy::sidecar
