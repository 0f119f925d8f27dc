// Whose the tenants' databases are that a scan has just looked at, so that its listing of all
// databases has to read the markers of the others only.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_set>

#include "uuid.hpp"

namespace tenancy::sidecar::mongodb {

class Sightings {
public:
    // Nothing is remembered before the first of these; each forgets what was seen.
    void begin();

    void saw(const Uuid& tenant, const Uuid& instance);
    // The instance of the tenant's marker, if it was seen since begin().
    [[nodiscard]] std::optional<Uuid> instance_of(const Uuid& tenant) const;

private:
    bool begun_ = false;
    std::optional<Uuid> instance_;              // of all that are remembered
    std::unordered_set<std::uint64_t> tenants_; // a part of each id
};

} // namespace tenancy::sidecar::mongodb
