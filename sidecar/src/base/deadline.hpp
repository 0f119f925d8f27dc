// A point in time by which something has to be over. On the boot-time clock, which goes on while
// the machine sleeps: a lease runs out for a frozen daemon too.
#pragma once

#include <chrono>

namespace tenancy::sidecar {

using Milliseconds = std::chrono::milliseconds;

class Deadline {
public:
    // The moment `limit` from now.
    [[nodiscard]] static Deadline in(Milliseconds limit);

    [[nodiscard]] bool passed() const;
    // What is left, never negative.
    [[nodiscard]] Milliseconds left() const;
    // The earlier of the two.
    [[nodiscard]] Deadline sooner(Deadline other) const;

private:
    explicit Deadline(std::chrono::nanoseconds at) : at_(at) {}

    std::chrono::nanoseconds at_; // CLOCK_BOOTTIME
};

} // namespace tenancy::sidecar
