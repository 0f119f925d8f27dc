#include "postgres/registry.hpp"

namespace tenancy::sidecar {
namespace {

// The id just before, so that a page after it begins with `tenant`; nothing for the first of all.
std::optional<Uuid> before(Uuid tenant) {
    for (auto byte = tenant.bytes.rbegin(); byte != tenant.bytes.rend(); ++byte) {
        if ((*byte)-- != 0) {
            return tenant;
        }
    }
    return std::nullopt;
}

} // namespace

std::optional<Desired> desired_now(Registry& registry, const StoreDefinition& store,
                                   const Uuid& tenant) {
    auto page = registry.desired_after(store, before(tenant), 1);
    if (page.empty() || page.front().tenant != tenant) {
        return std::nullopt;
    }
    return std::move(page.front());
}

} // namespace tenancy::sidecar
