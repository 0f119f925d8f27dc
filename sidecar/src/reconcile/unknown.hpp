// What is in a store and no tenant explains: why, and what the store's policy has done about it.
// Pure.
#pragma once

#include <string_view>
#include <vector>

#include "postgres/registry.hpp"

namespace tenancy::sidecar {

// Of an object that bears no known tenant's name. `policy` is the store's unknown_objects. What
// belongs to another instance than ours, or to nobody knows whom, or does not bear a tenant's name,
// is only ever reported.
[[nodiscard]] UnknownObject judge_unknown(const FoundObject& object, const Uuid& ours,
                                          std::string_view policy);

// Adds the collections of a tenant that no template explains, where they are not pruned anyway.
void add_extra_collections(const StoreDefinition& definition, const Desired& desired,
                           const Observed& observed, std::vector<UnknownObject>& extra);

} // namespace tenancy::sidecar
