// The threads of the HTTP server. The library's own pool has a queue without end, each place in it
// an open connection; here the accepting thread waits when the queue is full, and further clients
// wait in the kernel's backlog.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include <httplib.h>

namespace tenancy::sidecar {

// Nothing in older versions of the library (Debian 12), whether the job was taken in newer ones.
using Enqueued = decltype(std::declval<httplib::TaskQueue&>().enqueue(nullptr));

class BoundedPool : public httplib::TaskQueue {
public:
    BoundedPool(std::size_t threads, std::size_t queued);
    ~BoundedPool() override = default;
    BoundedPool(const BoundedPool&) = delete;
    BoundedPool& operator=(const BoundedPool&) = delete;

    // Takes every job.
    Enqueued enqueue(std::function<void()> job) override;
    // Runs what is queued, then ends.
    void shutdown() override;

private:
    void work();

    std::size_t queued_;
    std::mutex mutex_;
    std::condition_variable room_, filled_;
    std::deque<std::function<void()>> jobs_;
    bool ending_ = false;
    std::vector<std::thread> threads_;
};

} // namespace tenancy::sidecar
