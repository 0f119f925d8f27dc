// What systemd is told (Type=notify): that tenancyd is ready, what it does, that it is alive.
// Without systemd all of it does nothing.
#pragma once

#include <functional>
#include <string>
#include <thread>

namespace tenancy::sidecar {

void notify_ready();
void notify_status(const std::string& status);
void notify_stopping();

// A thread that tells systemd's watchdog (WatchdogSec=) that the process is well, as long as it is;
// when `healthy` says no, it keeps silent and systemd restarts the service.
class Watchdog {
public:
    explicit Watchdog(std::function<bool()> healthy);
    ~Watchdog();
    Watchdog(const Watchdog&) = delete;
    Watchdog& operator=(const Watchdog&) = delete;

private:
    std::jthread thread_; // none when systemd asked for no watchdog
};

} // namespace tenancy::sidecar
