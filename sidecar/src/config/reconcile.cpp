// [reconcile]: how often, how long, how many times.
#include "config/tables.hpp"

namespace tenancy::sidecar {

ReconcileConfig read_reconcile(const Section& section) {
    using namespace std::chrono_literals;
    section.allow(
        {"lease", "poll", "tick", "schedule", "scan", "backoff_first", "backoff_most", "attempts"});
    ReconcileConfig config;
    config.lease = section.duration("lease", config.lease, {500ms, 1h});
    config.poll = section.duration("poll", config.poll, {50ms, 1h});
    config.tick = section.duration("tick", config.tick, {100ms, 1h});
    config.schedule = section.duration("schedule", config.schedule, {100ms, 24h});
    config.scan = section.duration("scan", config.scan, {100ms, 30 * 24h});
    config.backoff_first = section.duration("backoff_first", config.backoff_first, {1ms, 1h});
    config.backoff_most = section.duration("backoff_most", config.backoff_most, {1ms, 24h});
    if (config.backoff_most < config.backoff_first) {
        section.fail("backoff_most", "backoff_most must not be shorter than backoff_first");
    }
    config.attempts = static_cast<unsigned>(section.number("attempts", config.attempts, {1, 1000}));
    return config;
}

} // namespace tenancy::sidecar
