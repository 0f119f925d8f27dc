// Tells PostgreSQL what became of claimed tenants, and counts and logs it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/deadline.hpp"
#include "postgres/connection.hpp"
#include "postgres/registry.hpp"
#include "reconcile/lease.hpp"
#include "reconcile/surroundings.hpp"

namespace tenancy::sidecar {

class Reporter {
public:
    // Borrows all; used by the thread that owns the registry.
    Reporter(Surroundings& surroundings, std::string store, Registry& registry)
        : surroundings_(surroundings), name_(std::move(store)), registry_(registry) {}

    // Throws as the registry does, when PostgreSQL stays away until the lease is over, or when
    // this is not the instance any more. A tenant whose report is refused for anything else keeps
    // its lease until that ends, so that it is not tried again at once.
    void deliver(const InstanceView& view, const std::vector<Report>& reports, const Lease& lease);

    // When the first of the tenants that are to be tried again is due, as far as it is known here.
    [[nodiscard]] std::optional<Deadline> next_retry() const { return next_retry_; }
    void forget_passed_retry();

private:
    void take_refusal(const InstanceView& view, const std::vector<Report>& reports,
                      const Lease& lease, const SqlError& problem);
    void send(const InstanceView& view, const std::vector<Report>& reports);
    void note_failure(const Report& report);

    Surroundings& surroundings_;
    const std::string name_;
    Registry& registry_;
    std::optional<Deadline> next_retry_;
};

} // namespace tenancy::sidecar
