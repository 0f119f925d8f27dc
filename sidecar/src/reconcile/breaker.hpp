// Keeps everybody away from a store that is down, and lets them back to it gently.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>

#include "base/deadline.hpp"
#include "postgres/registry.hpp"

namespace tenancy::sidecar {

// closed: the store works. open: it does not, and is left alone until a wait is over, which grows
// with every failure. half_open: the wait is over, one probe may be made. May be used by any
// thread.
class Breaker {
public:
    enum class State : std::uint8_t { closed, half_open, open };

    // `most_at_once` tenants may be claimed when all is well. `fraction` gives values of [0, 1).
    Breaker(Milliseconds first_wait, Milliseconds most_wait, unsigned most_at_once,
            std::function<double()> fraction);

    [[nodiscard]] State state() const;

    // How many tenants may be claimed now: 0 unless closed; after an outage 1, 2, 4, ...
    [[nodiscard]] unsigned allowed(Task task) const;

    // True for one caller when the wait is over; that one has to call succeeded() or failed().
    [[nodiscard]] bool begin_probe();
    // What is left of the wait; 0 unless open.
    [[nodiscard]] Milliseconds wait_left() const;

    // The store answered a probe. A late answer to somebody who began before the failure would
    // prove nothing.
    void succeeded();
    // So many tenants were worked on, which is what the number that is allowed grows by.
    void worked(Task task, unsigned claimed);
    // The store is there, and did not answer in time about many: begin with one tenant at once.
    void slowed(Task task);
    // The store did not answer.
    void failed();

private:
    const Milliseconds first_wait_;
    const Milliseconds most_wait_;
    const unsigned most_at_once_;
    const std::function<double()> fraction_;

    mutable std::mutex mutex_;
    bool closed_ = true;
    bool probing_ = false;
    // Each for itself: erasing takes long, and proves nothing about the rest.
    std::map<Task, unsigned> allowed_;
    std::int64_t failures_ = 0; // in a row
    Deadline retry_at_;
};

} // namespace tenancy::sidecar
