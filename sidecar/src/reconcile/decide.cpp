#include "reconcile/decide.hpp"

#include <optional>

#include <nlohmann/json.hpp>

#include "reconcile/lifecycle.hpp"

namespace tenancy::sidecar {
namespace {

using Kind = Action::Kind;

Failure unknown_state(const Desired& desired) {
    return {FailureKind::permanent, "UnknownState",
            "this tenancyd does not know the state \"" + desired.state +
                "\"; install the version that belongs to the extension"};
}

Failure foreign_instance(const Marker& marker) {
    return {FailureKind::foreign, "ForeignInstance",
            "the tenant's objects belong to instance " + print_uuid(marker.instance) +
                "; remove them, or adopt this database as that instance's replacement"};
}

Failure unknown_objects_there() {
    return {FailureKind::permanent, "UnknownObjects",
            "objects without a marker are in the tenant's place; remove them or set the store's "
            "unknown_objects to adopt, then call tenancy.retry_store"};
}

Failure superseded(const Desired& desired, const Marker& marker) {
    return {FailureKind::superseded, "Superseded",
            "the store shows generation " + std::to_string(marker.generation) +
                ", newer than generation " + std::to_string(desired.generation)};
}

std::optional<Failure> settings_fault(const Desired& desired) {
    if (!desired.settings->is_discarded()) {
        return std::nullopt;
    }
    return Failure{FailureKind::permanent, "SettingsUnreadable",
                   "a setting has a value that cannot be read, such as a number beyond 1e308; set "
                   "it anew"};
}

// Why nothing may be done for the tenant, if so.
std::optional<Failure> refusal(const Desired& desired, const Observed& observed,
                               const Uuid& instance, std::string_view unknown_objects) {
    if (find_state(desired.state) == nullptr) {
        return unknown_state(desired);
    }
    if (observed.marker && observed.marker->instance != instance) {
        return foreign_instance(*observed.marker);
    }
    if (!desired.present) {
        return std::nullopt;
    }
    if (auto fault = settings_fault(desired); fault && !restricts(desired.state)) {
        return fault;
    }
    if (observed.marker && observed.marker->generation > desired.generation &&
        observed.marker->generation != desired.disowned) {
        return superseded(desired, *observed.marker);
    }
    if (!observed.marker && observed.has_objects && !desired.reached_before &&
        unknown_objects != "adopt") {
        return unknown_objects_there();
    }
    return std::nullopt;
}

bool differs_in_ttl_only(IndexTemplate wanted, IndexTemplate found) {
    const bool both = wanted.ttl_seconds && found.ttl_seconds;
    wanted.ttl_seconds.reset();
    found.ttl_seconds.reset();
    return both && wanted == found;
}

void add_index_steps(const CollectionTemplate& wanted, const CollectionTemplate* found, bool prune,
                     std::vector<Action>& actions) {
    for (const auto& [name, index] : wanted.indexes) {
        const auto there = found != nullptr && found->indexes.contains(name);
        if (!there) {
            actions.push_back({Kind::create_index, wanted.name, name});
        } else if (const auto& present = found->indexes.at(name); present != index) {
            actions.push_back(
                {differs_in_ttl_only(index, present) ? Kind::set_ttl : Kind::replace_index,
                 wanted.name, name});
        }
    }
    if (found == nullptr || !prune) {
        return;
    }
    for (const auto& [name, index] : found->indexes) {
        if (!wanted.indexes.contains(name)) {
            actions.push_back({Kind::drop_index, wanted.name, name});
        }
    }
}

// create_collection brings the validator along; indexes are steps of their own.
std::vector<Action> collection_steps(const Templates& wanted, const Templates& found, bool prune) {
    std::vector<Action> actions;
    for (const auto& [name, collection] : wanted) {
        const auto there = found.find(name);
        const auto* present = there == found.end() ? nullptr : &there->second;
        if (present == nullptr) {
            actions.push_back({Kind::create_collection, name, ""});
        } else if (present->validator != collection.validator) {
            actions.push_back({Kind::set_validator, name, ""});
        }
        add_index_steps(collection, present, prune, actions);
    }
    for (const auto& [name, collection] : found) {
        if (prune && !wanted.contains(name)) {
            actions.push_back({Kind::prune_collection, name, ""});
        }
    }
    return actions;
}

bool needs_publishing(const Desired& desired, const Observed& observed) {
    static const JsonValue none;
    const auto& settings = desired.settings->is_discarded() ? none : desired.settings;
    return !observed.marker || observed.marker->generation != desired.generation ||
           observed.marker->state != desired.state || !observed.settings ||
           *observed.settings != settings;
}

// A restriction is never kept back by a collection that cannot be made, nor is any change of a
// tenant that was complete once. Otherwise the state is shown last, when all of it is there.
bool publishes_first(const Desired& desired, const Observed& observed) {
    return find_state(desired.state)->cut_off || desired.state == "read_only" ||
           (observed.marker && observed.marker->state != "provisioning");
}

Plan plan_presence(const Desired& desired, const Observed& observed, bool prune) {
    static const Templates none;
    auto steps = collection_steps(desired.templates ? *desired.templates : none,
                                  observed.collections, prune);
    Plan plan;
    plan.flaw = settings_fault(desired);
    const bool publish = needs_publishing(desired, observed);
    const bool first = publishes_first(desired, observed);
    if (publish && (first || steps.empty())) {
        plan.actions.push_back({Kind::publish, "", ""});
    } else if (!observed.marker) {
        plan.actions.push_back({Kind::claim, "", ""});
    }
    const bool last = publish && !first && !steps.empty();
    plan.actions.insert(plan.actions.end(), steps.begin(), steps.end());
    if (last) {
        plan.actions.push_back({Kind::publish, "", ""});
    }
    const bool as_published = observed.marker &&
                              observed.marker->generation == desired.generation &&
                              observed.marker->state == desired.state;
    plan.drifted =
        desired.reached_before && !plan.actions.empty() &&
        (!observed.marker || as_published || observed.marker->generation > desired.generation);
    return plan;
}

} // namespace

Result<Plan> decide(const Desired& desired, const Observed& observed, const Uuid& instance,
                    std::string_view unknown_objects) {
    if (auto failure = refusal(desired, observed, instance, unknown_objects)) {
        return *std::move(failure);
    }
    if (desired.present) {
        return plan_presence(desired, observed, unknown_objects == "prune");
    }
    Plan plan;
    if (observed.has_objects) {
        plan.actions.push_back({Kind::erase, "", ""});
    }
    return plan;
}

} // namespace tenancy::sidecar
