#include "reconcile/listener.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "uuid.hpp"

namespace tenancy::sidecar {
namespace {

constexpr Milliseconds wait_limit{30000};

} // namespace

void Listener::run(Beat& beat) {
    std::int64_t failures = 0;
    while (!surroundings_.shutdown.begun()) {
        beat.within(wait_limit + surroundings_.longest_call * 3);
        try {
            probe();
            failures = 0;
            listen(beat);
        } catch (const std::exception& problem) {
            if (++failures == 1) {
                log(Level::warning, "listening_failed", {{"message", problem.what()}});
            }
        }
        surroundings_.notified = false;
        surroundings_.shutdown.wait(
            backoff(Milliseconds(100), Milliseconds(2000), failures, random_fraction()));
    }
}

void Listener::probe() {
    const bool arrive = notifications_->arrive();
    surroundings_.notified = arrive;
    if (!arrive && !warned_ && !surroundings_.shutdown.begun()) {
        warned_ = true;
        log(Level::warning, "notifications_swallowed",
            {{"message", "notifications do not arrive, as behind a pooler in transaction mode; "
                         "work is looked for every second instead"}});
    }
    wake_all(); // for what was missed meanwhile
}

void Listener::listen(Beat& beat) {
    while (!surroundings_.shutdown.begun()) {
        beat.within(wait_limit);
        const auto payloads = notifications_->wait(Deadline::in(wait_limit));
        if (payloads.empty()) {
            continue;
        }
        surroundings_.statistics.notifications.with({}).add(payloads.size());
        for (const auto& context : contexts_) {
            context->work.signal();
        }
        // Anything but a tenant's id: stores were defined, or the instance was bound.
        if (std::any_of(payloads.begin(), payloads.end(),
                        [](const auto& payload) { return !parse_uuid(payload); })) {
            surroundings_.look_at_instance.signal();
        }
    }
}

void Listener::wake_all() {
    for (const auto& context : contexts_) {
        context->work.signal();
    }
    surroundings_.look_at_instance.signal();
}

} // namespace tenancy::sidecar
