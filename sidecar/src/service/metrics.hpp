// What /metrics says, in Prometheus' text format.
#pragma once

#include <string>

#include "reconcile/statistics.hpp"

namespace tenancy::sidecar {

struct ProcessFacts {
    std::string version;
    double start_time = 0; // seconds since 1970
    bool ready = false;
    bool observing = false;
};

[[nodiscard]] std::string metrics_text(const Statistics& statistics, const ProcessFacts& process);

} // namespace tenancy::sidecar
