#include "service/notify.hpp"

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>

#include <systemd/sd-daemon.h>

#include "base/log.hpp"

namespace tenancy::sidecar {
namespace {

void watch(const std::stop_token& stop, const std::function<bool()>& healthy,
           std::chrono::microseconds pause) {
    std::mutex mutex;
    std::condition_variable_any wake;
    std::unique_lock lock(mutex);
    bool was_healthy = true;
    while (!stop.stop_requested()) {
        const bool is_healthy = healthy();
        if (is_healthy) {
            sd_notify(0, "WATCHDOG=1");
        }
        if (is_healthy != was_healthy) {
            log(is_healthy ? Level::info : Level::error,
                is_healthy ? "healthy_again" : "unhealthy");
            was_healthy = is_healthy;
        }
        wake.wait_for(lock, stop, pause, [] { return false; });
    }
}

} // namespace

void notify_ready() {
    sd_notify(0, "READY=1");
}

void notify_status(const std::string& status) {
    sd_notify(0, ("STATUS=" + status).c_str());
}

void notify_stopping() {
    sd_notify(0, "STOPPING=1\nSTATUS=finishing what is in work");
}

Watchdog::Watchdog(std::function<bool()> healthy) {
    std::uint64_t limit = 0;
    if (sd_watchdog_enabled(0, &limit) <= 0) {
        return;
    }
    // Three times within the limit: one that comes late is no harm.
    const std::chrono::microseconds pause(limit / 3);
    thread_ = std::jthread([healthy = std::move(healthy), pause](const std::stop_token& stop) {
        watch(stop, healthy, pause);
    });
}

Watchdog::~Watchdog() = default;

} // namespace tenancy::sidecar
