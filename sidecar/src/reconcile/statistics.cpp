#include "reconcile/statistics.hpp"

#include <algorithm>

namespace tenancy::sidecar {

void Histogram::observe(double seconds) {
    const auto* const bound = std::lower_bound(bounds.begin(), bounds.end(), seconds);
    buckets_.at(static_cast<std::size_t>(bound - bounds.begin())).add();
    microseconds_.add(static_cast<std::uint64_t>(std::max(seconds, 0.0) * 1e6));
}

std::uint64_t Histogram::count() const {
    std::uint64_t total = 0;
    for (const auto& bucket : buckets_) {
        total += bucket.value();
    }
    return total;
}

double Histogram::sum() const {
    return static_cast<double>(microseconds_.value()) / 1e6;
}

} // namespace tenancy::sidecar
