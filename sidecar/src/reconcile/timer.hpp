// Measures how long a block takes.
#pragma once

#include <chrono>

#include "reconcile/statistics.hpp"

namespace tenancy::sidecar {

class Timer {
public:
    explicit Timer(Histogram& histogram) : histogram_(histogram) {}
    ~Timer() {
        const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - begin_;
        histogram_.observe(spent.count());
    }
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;

private:
    Histogram& histogram_;
    std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

} // namespace tenancy::sidecar
