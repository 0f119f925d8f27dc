#include "mongodb/steps.hpp"

#include <nlohmann/json.hpp>

#include "base/failpoint.hpp"
#include "mongodb/collections.hpp"
#include "mongodb/erase.hpp"
#include "mongodb/marker.hpp"
#include "mongodb/places.hpp"

namespace tenancy::sidecar::mongodb {
namespace {

using Kind = Action::Kind;

Failure no_template(const Action& action) {
    return {FailureKind::transient, "TemplateMissing",
            "the templates have no " + action.collection + " " + action.index + " any more"};
}

// Why the tenant would be one database too many, if so. Counting may have to wait for the server:
// nothing that takes something from a tenant who is there waits for that.
std::optional<Failure> admit(const Bench& bench, const Desired& desired) {
    if (desired.reached_before && restricts(desired.state)) {
        return std::nullopt;
    }
    const auto most = bench.definition.options->find("max_namespaces");
    if (most == bench.definition.options->end() || !most->is_number_integer()) {
        return std::nullopt;
    }
    return bench.namespaces.admit(bench.session, database_of(desired.tenant),
                                  namespaces_per_tenant(templates_of(desired, bench.definition)),
                                  most->get<std::int64_t>(), bench.deadline);
}

std::optional<Failure> erase(const Bench& bench, const Desired& desired) {
    const std::string database = database_of(desired.tenant);
    if (const auto found = read_marker(bench.session, database, bench.deadline)) {
        if (auto refused = refusal_by(found->marker, desired, bench.instance)) {
            return refused;
        }
    }
    auto failure = erase_database(bench.session, database, bench.alive, bench.deadline);
    if (!failure) {
        bench.namespaces.removed(database);
    }
    return failure;
}

std::optional<Failure> index_step(const Bench& bench, const Desired& desired, const Action& action,
                                  const CollectionTemplate& collection) {
    const auto found = collection.indexes.find(action.index);
    if (found == collection.indexes.end()) {
        return no_template(action);
    }
    const std::string database = database_of(desired.tenant);
    const auto step = action.kind == Kind::create_index    ? create_index
                      : action.kind == Kind::replace_index ? replace_index
                                                           : set_ttl;
    step(bench.session, database, collection.name, found->second, bench.deadline);
    return std::nullopt;
}

std::optional<Failure> collection_step(const Bench& bench, const Desired& desired,
                                       const Action& action) {
    const auto& templates = templates_of(desired, bench.definition);
    const auto found = templates.find(action.collection);
    if (found == templates.end()) {
        return no_template(action);
    }
    if (action.kind != Kind::create_collection && action.kind != Kind::set_validator) {
        return index_step(bench, desired, action, found->second);
    }
    const auto step = action.kind == Kind::create_collection ? create_collection : set_validator;
    step(bench.session, database_of(desired.tenant), found->second, bench.deadline);
    return std::nullopt;
}

std::optional<Failure> drop_step(const Bench& bench, const Desired& desired, const Action& action) {
    if (!is_tenants_collection(action.collection)) {
        return Failure{FailureKind::permanent, "Refused",
                       "the collection " + action.collection + " is never dropped"};
    }
    const std::string database = database_of(desired.tenant);
    if (action.kind == Kind::drop_index) {
        drop_index(bench.session, database, action.collection, action.index, bench.deadline);
    } else {
        drop_collection(bench.session, database, action.collection, bench.deadline);
    }
    return std::nullopt;
}

std::optional<Failure> take(const Bench& bench, const Desired& desired, const Action& action,
                            bool& published) {
    switch (action.kind) {
    case Kind::claim:
    case Kind::publish: {
        if (auto refused = admit(bench, desired)) {
            return refused;
        }
        return action.kind == Kind::claim
                   ? claim(bench.session, desired, bench.instance, bench.deadline)
                   : publish(bench.session, desired, bench.instance, bench.deadline, published);
    }
    case Kind::erase:
        return erase(bench, desired);
    case Kind::drop_index:
    case Kind::prune_collection:
        return drop_step(bench, desired, action);
    default:
        return collection_step(bench, desired, action);
    }
}

std::optional<Failure> take_safely(const Bench& bench, const Desired& desired, const Action& action,
                                   bool& published) {
    const std::string place = "mongodb." + std::string(name_of(action.kind));
    try {
        failpoint(place + ".before");
        auto failure = take(bench, desired, action, published);
        failpoint(place + ".after");
        return failure;
    } catch (const CommandError& error) {
        return failure_of(error);
    } catch (const DocumentError& error) {
        return Failure{FailureKind::permanent, "Refused", error.what()};
    }
}

} // namespace

const Templates& templates_of(const Desired& desired, const StoreDefinition& definition) {
    static const Templates none;
    if (desired.templates) {
        return *desired.templates;
    }
    return definition.templates ? *definition.templates : none;
}

Outcome take_steps(const Bench& bench, const Work& work) {
    Outcome outcome;
    for (const auto& action : work.actions) {
        outcome.failure = bench.alive()
                              ? take_safely(bench, *work.desired, action, outcome.published)
                              : lease_lost();
        if (outcome.failure) {
            break;
        }
        ++outcome.actions_done;
    }
    return outcome;
}

} // namespace tenancy::sidecar::mongodb
