#include "base/deadline.hpp"

#include <algorithm>

#include <time.h>

namespace tenancy::sidecar {
namespace {

std::chrono::nanoseconds boot_time() {
    timespec now{};
    clock_gettime(CLOCK_BOOTTIME, &now); // NOLINT(cert-err33-c): this clock is always there
    return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

} // namespace

Deadline Deadline::in(Milliseconds limit) {
    return Deadline(boot_time() + limit);
}

bool Deadline::passed() const {
    return boot_time() >= at_;
}

Milliseconds Deadline::left() const {
    const auto rest = std::chrono::ceil<Milliseconds>(at_ - boot_time());
    return std::max(rest, Milliseconds::zero());
}

Deadline Deadline::sooner(Deadline other) const {
    return Deadline(std::min(at_, other.at_));
}

} // namespace tenancy::sidecar
