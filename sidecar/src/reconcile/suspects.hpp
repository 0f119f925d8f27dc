// Tenants over which a store that is there did not answer in time. They are looked at alone, after
// the others and by one worker at a time, until it does: so nobody waits for them twice.
#pragma once

#include <cstdint>
#include <mutex>
#include <set>

#include "base/deadline.hpp"
#include "base/failure.hpp"
#include "postgres/registry.hpp"
#include "uuid.hpp"

namespace tenancy::sidecar {

// May be used by any thread.
class Suspects {
public:
    [[nodiscard]] bool contains(const Uuid& tenant) const;
    void add(const Uuid& tenant);
    void remove(const Uuid& tenant);

    // The right to try one of them, for as long as it is held: one thread that keeps tenants in
    // step has it, and one that erases. Nobody, where another thread has it for longer than one of
    // them takes that answers again.
    [[nodiscard]] std::unique_lock<std::timed_mutex> take_turn(Task task) {
        return std::unique_lock(task == Task::erase ? erasing_ : keeping_, Milliseconds(100));
    }

private:
    mutable std::mutex mutex_;
    std::timed_mutex keeping_, erasing_;
    std::set<decltype(Uuid::bytes)> tenants_;
};

// Whether a call about tenants may have failed because of one of them, if the store is there.
[[nodiscard]] bool may_be_a_tenant(const Unavailable& problem);

// How long to wait for what is asked about tenants that may be what holds the store up: about many
// together, and about one alone, who gets more time with every failure.
[[nodiscard]] Milliseconds patience_with_many(Milliseconds operation_timeout);
[[nodiscard]] Milliseconds patience_with_one(Milliseconds operation_timeout, std::int64_t failures);

} // namespace tenancy::sidecar
