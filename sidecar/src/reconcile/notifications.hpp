// Being told by PostgreSQL that something changed. Only ever a reason to look: what is due is in
// the tables, and polling finds it too.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/deadline.hpp"
#include "config/config.hpp"

namespace tenancy::sidecar {

class Notifications {
public:
    virtual ~Notifications() = default;

    // Whether a notification sent by another session arrives here. A pooler in transaction mode
    // takes the LISTEN and delivers nothing. Throws Unavailable and SqlError.
    [[nodiscard]] virtual bool arrive() = 0;
    // Waits for some; returns their payloads, none when the deadline passed or interrupt() was
    // called. Throws Unavailable when the connection was lost: some may have been missed.
    [[nodiscard]] virtual std::vector<std::string> wait(Deadline deadline) = 0;
    // Ends a wait(), now or the next one. The one function for other threads.
    virtual void interrupt() = 0;
};

// LISTENs on a connection of its own.
[[nodiscard]] std::unique_ptr<Notifications> make_notifications(const PostgresConfig& config);

} // namespace tenancy::sidecar
