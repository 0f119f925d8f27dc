#include "reconcile/suspects.hpp"

#include <algorithm>

namespace tenancy::sidecar {

bool Suspects::contains(const Uuid& tenant) const {
    const std::lock_guard lock(mutex_);
    return tenants_.contains(tenant.bytes);
}

void Suspects::add(const Uuid& tenant) {
    const std::lock_guard lock(mutex_);
    tenants_.insert(tenant.bytes);
}

void Suspects::remove(const Uuid& tenant) {
    const std::lock_guard lock(mutex_);
    tenants_.erase(tenant.bytes);
}

bool may_be_a_tenant(const Unavailable& problem) {
    const auto& reason = problem.reason();
    return reason == "TimedOut" || reason == "ReplyTooLarge" || reason == "ProtocolError" ||
           reason == "ShardUnavailable";
}

Milliseconds patience_with_many(Milliseconds operation_timeout) {
    return std::max(operation_timeout / 5, Milliseconds(1000));
}

// What the lease leaves is the limit, not this.
Milliseconds patience_with_one(Milliseconds operation_timeout, std::int64_t failures) {
    constexpr std::int64_t most_doublings = 10;
    const auto first = std::max(operation_timeout / 10, Milliseconds(500));
    return first * (1 << std::min(failures, most_doublings));
}

} // namespace tenancy::sidecar
