// A thread's promise to be back: what the watchdog goes by.
#pragma once

#include <mutex>

#include "base/deadline.hpp"

namespace tenancy::sidecar {

class Beat {
public:
    // The thread will say so again within that time; doubled, for a busy machine.
    void within(Milliseconds limit) {
        const std::lock_guard lock(mutex_);
        until_ = Deadline::in(limit * 2);
    }

    [[nodiscard]] bool missed() const {
        const std::lock_guard lock(mutex_);
        return until_.passed();
    }

private:
    mutable std::mutex mutex_;
    Deadline until_ = Deadline::in(Milliseconds(60000));
};

} // namespace tenancy::sidecar
