#include "service/bounded_pool.hpp"

namespace tenancy::sidecar {

BoundedPool::BoundedPool(std::size_t threads, std::size_t queued) : queued_(queued) {
    threads_.reserve(threads);
    for (std::size_t i = 0; i < threads; ++i) {
        threads_.emplace_back([this] { work(); });
    }
}

Enqueued BoundedPool::enqueue(std::function<void()> job) {
    std::unique_lock lock(mutex_);
    room_.wait(lock, [this] { return jobs_.size() < queued_ || ending_; });
    jobs_.push_back(std::move(job));
    filled_.notify_one();
    return Enqueued(true);
}

void BoundedPool::shutdown() {
    {
        const std::lock_guard lock(mutex_);
        ending_ = true;
    }
    room_.notify_all();
    filled_.notify_all();
    for (std::thread& thread : threads_) {
        thread.join();
    }
}

void BoundedPool::work() {
    for (;;) {
        std::function<void()> job;
        {
            std::unique_lock lock(mutex_);
            filled_.wait(lock, [this] { return !jobs_.empty() || ending_; });
            if (jobs_.empty()) {
                return;
            }
            job = std::move(jobs_.front());
            jobs_.pop_front();
        }
        room_.notify_one();
        job();
    }
}

} // namespace tenancy::sidecar
