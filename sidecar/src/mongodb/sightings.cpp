#include "mongodb/sightings.hpp"

#include <cstring>

namespace tenancy::sidecar::mongodb {
namespace {

// The random part of a UUID, of version 7 too.
std::uint64_t part_of(const Uuid& tenant) {
    std::uint64_t part = 0;
    std::memcpy(&part, tenant.bytes.data() + 8, sizeof part);
    return part;
}

} // namespace

void Sightings::begin() {
    begun_ = true;
    instance_.reset();
    tenants_.clear();
}

void Sightings::saw(const Uuid& tenant, const Uuid& instance) {
    if (!begun_) {
        return;
    }
    if (!instance_) {
        instance_ = instance;
    }
    if (instance == *instance_) {
        tenants_.insert(part_of(tenant));
    } else {
        tenants_.erase(part_of(tenant));
    }
}

std::optional<Uuid> Sightings::instance_of(const Uuid& tenant) const {
    return tenants_.contains(part_of(tenant)) ? instance_ : std::nullopt;
}

} // namespace tenancy::sidecar::mongodb
