// Signals as something to wait for, instead of handlers that may run anywhere.
#pragma once

#include <initializer_list>
#include <optional>

#include <signal.h>

#include "base/deadline.hpp"

namespace tenancy::sidecar {

// While it lives, the signals are blocked in this thread and in those it starts. To be made before
// any other thread, and used by one.
class Signals {
public:
    explicit Signals(std::initializer_list<int> numbers);
    ~Signals();
    Signals(const Signals&) = delete;
    Signals& operator=(const Signals&) = delete;

    // The next signal, or nothing by the deadline.
    [[nodiscard]] std::optional<int> wait(Deadline deadline) const;

private:
    sigset_t awaited_;
    sigset_t before_;
};

} // namespace tenancy::sidecar
