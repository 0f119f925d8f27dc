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
        auto heard = hear(Deadline::in(wait_limit));
        if (!heard.any) {
            continue;
        }
        // Whatever comes meanwhile is read and thrown together: it must not queue up.
        const auto look_at = pace_.next_look(found());
        while (!look_at.passed() && !surroundings_.shutdown.begun()) {
            heard.other = hear(look_at).other || heard.other;
        }
        for (const auto& context : contexts_) {
            context->signal_work();
        }
        if (heard.other) {
            surroundings_.look_at_instance.signal();
        }
    }
}

Listener::Heard Listener::hear(Deadline deadline) {
    const auto payloads = notifications_->wait(deadline);
    surroundings_.statistics.notifications.with({}).add(payloads.size());
    return {!payloads.empty(),
            std::any_of(payloads.begin(), payloads.end(),
                        [](const auto& payload) { return !parse_uuid(payload); })};
}

std::uint64_t Listener::found() const {
    std::uint64_t sum = 0;
    for (const auto& context : contexts_) {
        sum += context->claimed;
    }
    return sum;
}

void Listener::wake_all() {
    for (const auto& context : contexts_) {
        context->signal_work();
    }
    surroundings_.look_at_instance.signal();
}

} // namespace tenancy::sidecar
