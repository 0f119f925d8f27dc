// Stamps, markers and settings: reading them, and taking the steps that change them.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "redis/scripts.hpp"
#include "store/store.hpp"

namespace tenancy::sidecar::redis {

[[nodiscard]] std::optional<Stamp> read_stamp(Nodes& nodes, Deadline deadline);
// Of one server with all its databases, since tenants' keys are erased in every one of them: the
// stamp in `own_database`, which is the store's, unless there is one of another instance or store
// in any other.
[[nodiscard]] std::optional<Stamp> read_server_stamp(Nodes& nodes, std::int64_t own_database,
                                                     Deadline deadline);
[[nodiscard]] bool write_stamp(Nodes& nodes, const Stamp& stamp,
                               const std::optional<Stamp>& expected, Deadline deadline);

// Marker and settings of each, with has_objects as far as these two tell it.
[[nodiscard]] std::vector<Result<Observed>>
read_tenants(Nodes& nodes, std::span<const Desired> tenants, Deadline deadline);

// Store::apply() once: the first step of every tenant, then the second of every tenant.
class Application {
public:
    Application(Nodes& nodes, std::span<const Work> work, const Uuid& instance,
                const std::function<bool()>& alive, Deadline deadline);

    [[nodiscard]] std::vector<Outcome> run();

private:
    using Places = std::vector<std::size_t>; // indexes of work_

    void publish(const Places& places, std::size_t step);
    void erase(const Places& places);
    [[nodiscard]] Places without_foreign(const Places& places);
    [[nodiscard]] Call publish_call(const Work& work, Action::Kind kind) const;
    void refuse(const Places& places, std::size_t step);
    // Notes the step as done or as failed.
    void note(std::size_t place, std::optional<Failure> failure);

    Nodes& nodes_;
    std::span<const Work> work_;
    const Uuid& instance_;
    const std::function<bool()>& alive_;
    Deadline deadline_;
    std::vector<Outcome> outcomes_;
};

} // namespace tenancy::sidecar::redis
