// The outside stores: those of the configuration beside those that the database defines.
#include <algorithm>

#include "base/failure.hpp"
#include "check/checks.hpp"
#include "command/next_step.hpp"
#include "postgres/connection.hpp"
#include "postgres/registry.hpp"
#include "reconcile/fence.hpp"
#include "reconcile/stamp_check.hpp"

namespace tenancy::sidecar {
namespace {

// What the database and this host know, as far as it is needed to judge stamps.
struct Known {
    std::unique_ptr<Registry> registry;
    std::vector<StoreDefinition> definitions;
    InstanceIdentity identity;
    std::optional<std::string>
        stamped; // a store that belongs to an instance; the database does not
};

Known known_of(const Config& config) {
    Known known;
    known.registry = make_registry(config.postgres, config.daemon);
    known.definitions = known.registry->stores();
    known.identity = known.registry->identity();
    return known;
}

const StoreDefinition* find(const Known& known, const std::string& name) {
    const auto found =
        std::find_if(known.definitions.begin(), known.definitions.end(),
                     [&](const StoreDefinition& definition) { return definition.name == name; });
    return found != known.definitions.end() ? &*found : nullptr;
}

void tell_capabilities(const std::string& subject, const Capabilities& found, Findings& findings) {
    findings.ok(subject, "reachable, " + found.product + ' ' + found.version);
    for (const std::string& missing : found.missing) {
        findings.failed(subject, "cannot do what is needed: " + missing,
                        "another server or version, or more rights there for the daemon's user; "
                        "until then nothing is written to it");
    }
    for (const std::string& warning : found.warnings) {
        findings.warning(subject, warning, "see that this is meant");
    }
}

// Whether the store may be this instance's. The database's tick is read after the stamp: a daemon
// may be at work meanwhile.
bool check_stamp(const Config& config, const StoreDefinition& definition,
                 const std::optional<Stamp>& found, const Known& known, Findings& findings) {
    const std::string subject = "store " + definition.name;
    const std::int64_t tick = known.registry->identity().tick;
    const StampKnowledge knowledge{.instance = known.identity.id,
                                   .store = definition.name,
                                   .epoch = known.identity.epoch,
                                   .tick = tick,
                                   .tick_written = true,
                                   .database_tick = tick,
                                   .last_seen = 0,
                                   .stamped_before = definition.stamped,
                                   .on_missing_stamp = definition.on_missing_stamp};
    const StampVerdict verdict = judge_stamp(found, knowledge);
    if (verdict.step == StampVerdict::Step::refuse) {
        findings.failed(subject, verdict.reason + ": " + verdict.message,
                        step_for_stamp(config, definition.name, found, known.identity.id));
        return false;
    }
    if (!found) {
        findings.warning(subject, "the store has no stamp yet",
                         "tenancyd run stamps it when it starts");
    } else {
        findings.ok(subject, "stamped by this instance");
    }
    return true;
}

// Where the database has no instance yet.
bool check_unstamped(const Config& config, const std::string& name,
                     const std::optional<Stamp>& found, Known& known, Findings& findings) {
    if (found) {
        known.stamped = known.stamped.value_or(name);
        findings.failed("store " + name,
                        "belongs to instance " + print_uuid(found->instance) +
                            ", and the database to none",
                        step_for_stamped(config, name));
    }
    return !found;
}

void check_store(const Config& config, const StoreConfig& configured,
                 const StoreDefinition& definition, Known& known, Findings& findings) {
    const auto store = make_store(configured);
    store->define(definition);
    const auto stamp = store->read_stamp(Deadline::in(configured.operation_timeout));
    const bool ours = known.identity.bound
                          ? check_stamp(config, definition, stamp, known, findings)
                          : check_unstamped(config, definition.name, stamp, known, findings);
    const std::string subject = "store " + definition.name;
    // Trying out what the server can do may write to it: never to another's, nor from a copy.
    if (ours && !stamp) {
        if (const auto foreign = foreign_object(*store, known.identity.id, [] { return true; })) {
            findings.failed(subject, "ForeignObjects: " + *foreign,
                            "correct the address of store " + definition.name);
            return;
        }
    }
    if (ours && known.identity.bound && !known.identity.matches()) {
        findings.warning(subject,
                         "not tried out: the database is not the one that the instance was bound "
                         "to",
                         "see what is said of the instance");
    } else if (ours) {
        tell_capabilities(subject, store->probe(Deadline::in(configured.operation_timeout)),
                          findings);
    }
}

void check_configured(const Config& config, const StoreConfig& store, Known& known,
                      Findings& findings) {
    const std::string subject = "store " + store.name;
    const StoreDefinition* definition = find(known, store.name);
    if (definition == nullptr) {
        findings.failed(subject, "in the configuration, but not defined in the database",
                        "SELECT tenancy.define_store('" + store.name + "', '" + store.kind +
                            "'), as an admin; or take [stores." + store.name +
                            "] out of the configuration");
        return;
    }
    if (definition->kind != store.kind) {
        findings.failed(subject,
                        "of kind " + definition->kind + " in the database, of kind " + store.kind +
                            " in the configuration",
                        "correct kind in [stores." + store.name + "]");
        return;
    }
    try {
        check_store(config, store, *definition, known, findings);
    } catch (const Unavailable& error) {
        findings.failed(subject, error.reason() + ": " + error.what(),
                        step_for_store(config, store, error.reason()));
    } catch (const ConfigError& error) { // what only the store's driver understands
        findings.failed(subject, error.what(), "correct it in " + config.file.string());
    }
}

} // namespace

std::optional<std::string> check_stores(const Config& config, Findings& findings) {
    try {
        Known known = known_of(config);
        for (const StoreConfig& store : config.stores) {
            check_configured(config, store, known, findings);
        }
        for (const StoreDefinition& definition : known.definitions) {
            if (config.find_store(definition.name) == nullptr) {
                findings.failed("store " + definition.name,
                                "defined in the database, but not in this configuration",
                                "add [stores." + definition.name +
                                    "]; or, if the store is gone for good, tenancyd forget-store " +
                                    definition.name);
            }
        }
        return known.stamped;
    } catch (const Unavailable&) {
        findings.failed("stores", "not looked at: no primary can be reached",
                        "first mend what is said of postgres above");
    } catch (const SqlError& error) {
        findings.failed("stores", error.what(), step_for_sql(error, "sidecar"));
    }
    return std::nullopt;
}

} // namespace tenancy::sidecar
