// A second connection that looks at a statement of the first one while it runs, and can cancel it.
#pragma once

#include <optional>
#include <string>

#include "postgres/connection.hpp"

namespace tenancy::sidecar {

// What goes wrong here is not told: it is no reason to disturb the work.
class Observer {
public:
    Observer(const PostgresConfig& config, const std::string& target)
        : connection_(config, target, "tenancyd protect (progress)") {}

    // "building index: scanning table, 43 %" or "waiting for a lock"; empty when nothing is known.
    [[nodiscard]] std::string progress(const std::string& pid);

    // Whether the server was told to cancel it.
    bool cancel(const std::string& pid);

private:
    Connection connection_;
};

} // namespace tenancy::sidecar
