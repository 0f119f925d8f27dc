#include "reconcile/wakeup.hpp"

#include <utility>

namespace tenancy::sidecar {

void Wakeup::signal() {
    {
        const std::lock_guard lock(mutex_);
        signalled_ = true;
    }
    changed_.notify_one();
}

void Wakeup::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopped_ = true;
    }
    changed_.notify_all();
}

bool Wakeup::wait(Milliseconds limit) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, limit, [this] { return signalled_ || stopped_; });
    if (stopped_) {
        return false;
    }
    return std::exchange(signalled_, false);
}

bool Wakeup::stopped() const {
    const std::lock_guard lock(mutex_);
    return stopped_;
}

} // namespace tenancy::sidecar
