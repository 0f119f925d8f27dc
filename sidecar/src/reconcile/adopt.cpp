#include "reconcile/adopt.hpp"

#include <algorithm>

#include "base/failpoint.hpp"
#include "base/log.hpp"
#include "reconcile/fence.hpp"
#include "reconcile/notifications.hpp"
#include "reconcile/state_file.hpp"

namespace tenancy::sidecar {
namespace {

// A store that is to be stamped, and what it carries now.
struct Candidate {
    std::string name;
    bool named = false;   // by the operator
    bool stamped = false; // it has carried the instance's stamp
    std::unique_ptr<Store> session;
    std::optional<Stamp> found;
    std::string problem; // it could not be asked

    Candidate(const StoreDefinition& definition, const StoreConfig& config, bool chosen,
              const SessionFactories& factories)
        : name(config.name), named(chosen), stamped(definition.stamped),
          limit(config.connect_timeout + config.operation_timeout) {
        try {
            session = factories.store(config);
            session->define(definition);
            found = session->read_stamp(Deadline::in(limit));
        } catch (const Unavailable& unavailable) {
            problem = unavailable.what();
        }
    }

    Milliseconds limit;
};

std::vector<Candidate> candidates(const Config& config, Registry& registry,
                                  const std::optional<std::string>& store,
                                  const SessionFactories& factories) {
    std::vector<Candidate> found;
    for (const auto& definition : registry.stores()) {
        const auto* configured = config.find_store(definition.name);
        if (configured != nullptr && configured->kind == definition.kind &&
            (!store || *store == configured->name)) {
            found.emplace_back(definition, *configured, store.has_value(), factories);
        }
    }
    if (store && found.empty()) {
        throw ConfigError("store " + *store +
                          " is not both attached in the database and configured here");
    }
    return found;
}

void remember(const Config& config, const InstanceIdentity& identity) {
    write_state_file(config.state_directory, memory_of(identity));
    failpoint("fence.state_written");
}

// More adoptions than that are not lost by putting a database back.
constexpr std::int64_t most_lost_epochs = 100;

// The new epoch has to be above every one that is known: a database that was put back counts from
// an old one.
void bind_replacement(const Config& config, Registry& registry,
                      const std::vector<Candidate>& stores) {
    std::int64_t highest = 0;
    if (const auto memory = read_state_file(config.state_directory)) {
        highest = memory->epoch;
    }
    const auto identity = registry.identity();
    for (const auto& store : stores) {
        if (store.found && store.found->instance == identity.id) {
            highest = std::max(highest, store.found->epoch);
        }
    }
    if (identity.bound && highest - identity.epoch > most_lost_epochs) {
        throw AdoptError("epoch " + std::to_string(highest) +
                         " is known of the instance, and the "
                         "database is of epoch " +
                         std::to_string(identity.epoch) +
                         ": so many adoptions were not lost; find out who wrote that stamp, and "
                         "remove it from the store");
    }
    auto bound = registry.bind(identity.bound ? "replacement" : "new");
    while (identity.bound && bound.epoch <= highest) {
        bound = registry.bind("replacement");
    }
    failpoint("fence.bound");
}

// Why the store is not to be stamped; empty when it is.
std::string obstacle(const Candidate& store, const InstanceIdentity& identity, std::int64_t tick) {
    if (!store.problem.empty()) {
        return store.problem;
    }
    if (!store.found) {
        return store.stamped && !store.named
                   ? "it has lost its stamp, or another server answers in its place; name it by "
                     "--store if it is to be this one"
                   : "";
    }
    if (store.found->elsewhere) {
        return stamp_elsewhere(*store.found, identity.id, store.name);
    }
    if (store.found->instance != identity.id) {
        return store.named ? ""
                           : "it belongs to instance " + print_uuid(store.found->instance) +
                                 "; name it by --store if it is to change hands";
    }
    if (store.found->store != store.name && !store.named) {
        return "it is store " + store.found->store +
               " of the instance; name it by --store if it is to be this one";
    }
    if (store.found->epoch > identity.epoch ||
        (store.found->epoch == identity.epoch && store.found->tick > tick)) {
        return "it has seen more of the instance than this database; if this database takes the "
               "place of the newer one, adopt it --as replacement";
    }
    return "";
}

// Why it was not stamped; empty when another one has done it: the daemon of this host, as a rule,
// sees the new epoch as soon as it is there.
std::string why_not_stamped(const Candidate& store, const InstanceIdentity& identity) {
    const auto found = store.session->read_stamp(Deadline::in(store.limit));
    const bool ours = found && found->instance == identity.id && found->store == store.name &&
                      found->epoch == identity.epoch;
    return ours ? "" : "somebody else stamped it meanwhile; try again";
}

StampedStore stamp(Candidate& store, const InstanceIdentity& identity, std::int64_t tick) {
    StampedStore result{store.name, false, obstacle(store, identity, tick)};
    if (!result.message.empty()) {
        return result;
    }
    try {
        if (!store.session->write_stamp({identity.id, store.name, identity.epoch, tick},
                                        store.found, Deadline::in(store.limit))) {
            result.message = why_not_stamped(store, identity);
        }
        result.stamped = result.message.empty();
        failpoint("fence.stamped");
    } catch (const Unavailable& problem) {
        result.message = problem.what();
    }
    return result;
}

void bind_as(const Config& config, AdoptAs role, Registry& registry,
             const std::vector<Candidate>& stores) {
    if (role == AdoptAs::replacement) {
        bind_replacement(config, registry, stores);
    } else if (role == AdoptAs::clone) {
        registry.bind("clone");
        failpoint("fence.bound");
    }
}

void require_fitting(AdoptAs role, const InstanceIdentity& identity) {
    if (identity.in_recovery) {
        throw AdoptError("the server is a standby", "Connect to the primary.");
    }
    if (!identity.bound && role != AdoptAs::replacement) {
        throw AdoptError("the database belongs to no instance yet, so there is nothing to join, "
                         "nor to be a clone of",
                         "tenancyd run makes an instance when it starts.");
    }
    if (role == AdoptAs::member && !identity.matches()) {
        throw AdoptError("the database is not the one that the instance was bound to, so there is "
                         "nothing to join",
                         "Adopt it --as replacement where the original is gone for good, --as "
                         "clone where it goes on.");
    }
}

} // namespace

std::optional<AdoptAs> adopt_as(std::string_view word) {
    if (word == "member") {
        return AdoptAs::member;
    }
    if (word == "replacement") {
        return AdoptAs::replacement;
    }
    if (word == "clone") {
        return AdoptAs::clone;
    }
    return std::nullopt;
}

Adoption adopt(const Config& config, AdoptAs role, const std::optional<std::string>& store,
               const SessionFactories& factories) {
    const auto registry = factories.registry();
    const auto before = registry->identity();
    require_fitting(role, before);
    auto stores = role == AdoptAs::clone ? std::vector<Candidate>{}
                                         : candidates(config, *registry, store, factories);
    bind_as(config, role, *registry, stores);
    const auto identity = registry->identity();
    remember(config, identity);
    Adoption adoption{identity.id, identity.epoch, {}};
    const auto tick = registry->tick(identity.epoch);
    for (auto& candidate : stores) {
        adoption.stores.push_back(stamp(candidate, identity, tick));
    }
    log(Level::info, "adopted", {{"instance", print_uuid(identity.id)}, {"epoch", identity.epoch}});
    return adoption;
}

Adoption adopt(const Config& config, AdoptAs role, const std::optional<std::string>& store) {
    return adopt(config, role, store, real_sessions(config));
}

} // namespace tenancy::sidecar
