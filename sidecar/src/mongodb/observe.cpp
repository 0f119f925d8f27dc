#include "mongodb/observe.hpp"

#include <nlohmann/json.hpp>

#include "mongodb/catalogue.hpp"
#include "mongodb/marker.hpp"
#include "mongodb/places.hpp"

namespace tenancy::sidecar::mongodb {
namespace {

void take_marker(std::optional<MarkerDocument> found, Observed& observed) {
    if (found) {
        observed.marker = std::move(found->marker);
        observed.settings = std::move(found->settings);
        observed.has_objects = true;
    }
}

Observed look(Session& session, const Desired& desired, const Templates& templates,
              Deadline deadline) {
    const std::string database = database_of(desired.tenant);
    Observed observed;
    if (desired.present && desired.reached_before && templates.empty()) {
        take_marker(read_marker(session, database, deadline), observed);
        if (observed.marker) {
            return observed;
        }
    }
    const auto listed = list_collections(session, database, deadline);
    observed.has_objects = !listed.empty();
    if (!observed.has_objects) {
        return observed;
    }
    take_marker(read_marker(session, database, deadline), observed);
    if (desired.present && !templates.empty()) {
        observed.collections = read_collections(session, database, listed, templates, deadline);
    }
    return observed;
}

} // namespace

Result<Observed> observe_tenant(Session& session, const Desired& desired,
                                const Templates& templates, Deadline deadline) {
    try {
        return look(session, desired, templates, deadline);
    } catch (const CommandError& error) {
        return failure_of(error);
    }
}

} // namespace tenancy::sidecar::mongodb
