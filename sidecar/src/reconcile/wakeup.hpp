// What a thread waits for: being told that there is something to do.
#pragma once

#include <condition_variable>
#include <mutex>

#include "base/deadline.hpp"

namespace tenancy::sidecar {

// A signal is kept until one waiting thread takes it. May be used by any thread.
class Wakeup {
public:
    // One thread goes on: one that waits now, or the next that would.
    void signal();
    // All waits are over at once, now and from now on.
    void stop();

    // True when there was a signal; false when the time is over or stop() was called.
    bool wait(Milliseconds limit);
    [[nodiscard]] bool stopped() const;

private:
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    bool signalled_ = false;
    bool stopped_ = false;
};

} // namespace tenancy::sidecar
