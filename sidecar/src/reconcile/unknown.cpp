#include "reconcile/unknown.hpp"

#include <string>

namespace tenancy::sidecar {
namespace {

std::string why_unknown(const FoundObject& object, bool foreign) {
    if (object.unanswered) {
        return "Unanswered";
    }
    if (foreign) {
        return "ForeignInstance";
    }
    return object.instance ? "UnknownTenant" : "NoMarker";
}

} // namespace

UnknownObject judge_unknown(const FoundObject& object, const Uuid& ours, std::string_view policy) {
    const bool foreign = object.instance && *object.instance != ours;
    UnknownObject unknown{object, why_unknown(object, foreign), "reported"};
    if (foreign || object.unanswered || !object.tenant) {
        return unknown;
    }
    if (policy == "prune") {
        unknown.resolution = "pruned";
    } else if (policy == "adopt" && !object.instance) {
        unknown.resolution = "adopted";
    }
    return unknown;
}

void add_extra_collections(const StoreDefinition& definition, const Desired& desired,
                           const Observed& observed, std::vector<UnknownObject>& extra) {
    const bool templated = desired.templates && !desired.templates->empty();
    if (definition.unknown_objects == "prune" || !templated || !observed.marker) {
        return;
    }
    const std::string place = "t_" + print_uuid_hex(desired.tenant) + ".";
    for (const auto& [name, collection] : observed.collections) {
        if (!desired.templates->contains(name)) {
            const FoundObject found{place + name, desired.tenant, observed.marker->instance, {}};
            extra.push_back({found, "ExtraCollection", "reported"});
        }
    }
}

} // namespace tenancy::sidecar
