// tenancyd adopt: shows what is there and what will change, asks, and does it.
#include <iostream>
#include <map>

#include "base/failure.hpp"
#include "base/printable.hpp"
#include "command/commands.hpp"
#include "command/next_step.hpp"
#include "command/terminal.hpp"
#include "config/config.hpp"
#include "postgres/connection.hpp"
#include "postgres/registry.hpp"
#include "reconcile/adopt.hpp"
#include "reconcile/fence.hpp"
#include "reconcile/state_file.hpp"

namespace tenancy::sidecar {
namespace {

std::string name_of(const Uuid& instance, std::int64_t epoch) {
    return "instance " + print_uuid(instance) + ", epoch " + std::to_string(epoch);
}

std::string database_line(const InstanceIdentity& identity) {
    if (!identity.bound) {
        return "belongs to no instance yet";
    }
    const std::string name = name_of(identity.id, identity.epoch);
    return identity.matches() ? name : name + ", which was bound to another server or database";
}

std::string host_line(const std::optional<StateFile>& memory) {
    if (!memory || memory->binding) {
        return "belongs to no instance yet";
    }
    return name_of(memory->id, memory->epoch);
}

// What a store says of itself, before anything is changed.
struct FoundStore {
    std::optional<Stamp> stamp;
    std::string reason; // why it is not known
};
using FoundStores = std::map<std::string, FoundStore>;

std::string store_line(const StoreConfig& config, const StoreDefinition& definition,
                       FoundStore& found) {
    try {
        const auto store = make_store(config);
        store->define(definition);
        found.stamp = store->read_stamp(Deadline::in(config.operation_timeout));
        return found.stamp ? "store " + found.stamp->store + " of " +
                                 name_of(found.stamp->instance, found.stamp->epoch) + ", tick " +
                                 std::to_string(found.stamp->tick)
                           : "has no stamp";
    } catch (const Unavailable& error) {
        found.reason = error.reason();
        return "not known: " + error.reason() + ", " + error.what();
    }
}

std::string store_line(const StoreConfig& config, const std::vector<StoreDefinition>& definitions,
                       FoundStores& found) {
    for (const StoreDefinition& definition : definitions) {
        if (definition.name == config.name) {
            return store_line(config, definition, found[config.name]);
        }
    }
    return "not defined in the database";
}

void print_verdict(const Config& config, const Verdict& verdict, const FoundStores& stores) {
    if (verdict.step == Verdict::Step::observe) {
        std::cout << verdict.reason << ": " << verdict.message << "\n-> "
                  << step_for_instance(config, verdict.reason) << '\n';
    }
    for (const auto& [name, store] : stores) {
        if (verdict.step == Verdict::Step::bind && store.stamp) {
            std::cout << "StoresStamped: the database belongs to no instance, and store " << name
                      << " does\n-> " << step_for_stamped(config, name) << '\n';
        }
    }
}

FoundStores print_found(const Config& config) {
    const auto registry = make_registry(config.postgres, config.daemon);
    const InstanceIdentity identity = registry->identity();
    const auto memory = read_state_file(config.state_directory);
    const std::vector<StoreDefinition> definitions = registry->stores();
    std::vector<std::vector<std::string>> rows{{"the database", database_line(identity)},
                                               {"this host", host_line(memory)}};
    FoundStores found;
    for (const StoreConfig& store : config.stores) {
        rows.push_back({"store " + store.name, printable(store_line(store, definitions, found))});
    }
    std::cout << "What is there:\n" << table_text(rows);
    print_verdict(config, judge_identity(identity, memory), found);
    return found;
}

std::string consequence(AdoptAs role) {
    switch (role) {
    case AdoptAs::member:
        return "This host joins the instance that the database is. Its daemon writes to the stores "
               "from then on.";
    case AdoptAs::replacement:
        return "This database takes the place of the one that the stores knew, under a new epoch. "
               "Every other copy of it, and every other host, only observes from then on. Stores "
               "that prune what no tenant explains only report it, until "
               "tenancy.define_store() says prune again.";
    case AdoptAs::clone:
        return "This database becomes an instance of its own. It lets go of every store, and its "
               "signing keys are removed: nothing of it reaches the stores of the original.";
    }
    return "";
}

// What to do about a store that could not be stamped; empty where that has been said.
std::string step_for(const Config& config, const Adoption& adoption, const StoreConfig& store,
                     const FoundStore& found) {
    if (!found.reason.empty()) {
        return step_for_store(config, store, found.reason);
    }
    if (!found.stamp ||
        (found.stamp->instance == adoption.instance && found.stamp->store == store.name)) {
        return "";
    }
    return step_for_stamp(config, store.name, found.stamp, adoption.instance);
}

Exit print_done(const Config& config, const Adoption& adoption, FoundStores found) {
    std::cout << "Now " << name_of(adoption.instance, adoption.epoch) << ".\n";
    bool all = true;
    for (const StampedStore& store : adoption.stores) {
        std::cout << "store " << store.store << ": "
                  << (store.stamped ? "stamped" : "not stamped: " + printable(store.message))
                  << '\n';
        all = all && store.stamped;
        const std::string step =
            store.stamped
                ? ""
                : step_for(config, adoption, *config.find_store(store.store), found[store.store]);
        std::cout << (step.empty() ? "" : "-> " + step + '\n');
    }
    if (!all) {
        std::cout << "Run the same command again when what is said of the stores is mended.\n";
    }
    return all ? Exit::done : Exit::failed;
}

AdoptAs role_of(const AdoptOptions& options) {
    const auto role = adopt_as(options.role);
    if (!role) {
        throw UsageError("--as is member, replacement or clone");
    }
    return *role;
}

void require_store(const Config& config, const std::optional<std::string>& name) {
    if (name && config.find_store(*name) == nullptr) {
        throw UsageError("the configuration has no store " + *name + "; name one of [stores]");
    }
}

// What an admin does, not the daemon, is done and audited as that admin.
Config config_of(const AdoptOptions& options) {
    Config config = read_config(options.file);
    if (options.login.given()) {
        config.postgres.conninfo = options.login.target();
        config.postgres.password.clear();
    }
    return config;
}

} // namespace

Exit adopt_command(const AdoptOptions& options) {
    const Config config = config_of(options);
    require_store(config, options.store);
    const AdoptAs role = role_of(options);
    FoundStores found = print_found(config);
    std::cout << "\nWhat will change:\n" << consequence(role) << "\n\n" << std::flush;
    if (!options.yes && !confirmed("Adopt as " + options.role + "?")) {
        std::cout << "Nothing was changed.\n";
        return Exit::failed;
    }
    return print_done(config, adopt(config, role, options.store), std::move(found));
}

} // namespace tenancy::sidecar
