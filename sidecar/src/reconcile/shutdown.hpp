// The wish to end, seen by every thread.
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>

#include "base/deadline.hpp"

namespace tenancy::sidecar {

class Shutdown {
public:
    // No new work from now on; what runs may go on until the deadline.
    void begin(Deadline deadline) {
        const std::lock_guard lock(mutex_);
        deadline_ = deadline;
        begun_ = true;
        changed_.notify_all();
    }

    // Waits, but not on when the shutdown begins.
    void wait(Milliseconds limit) {
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, limit, [this] { return begun_.load(); });
    }

    [[nodiscard]] bool begun() const { return begun_; }

    // What runs has to stop now.
    [[nodiscard]] bool overdue() const {
        const std::lock_guard lock(mutex_);
        return deadline_ && deadline_->passed();
    }

private:
    std::atomic<bool> begun_{false};
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::optional<Deadline> deadline_;
};

} // namespace tenancy::sidecar
