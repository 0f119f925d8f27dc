// The outside stores: those of the configuration beside those that the database defines.
#include <algorithm>

#include "base/failure.hpp"
#include "check/checks.hpp"
#include "postgres/connection.hpp"
#include "postgres/registry.hpp"
#include "reconcile/fence.hpp"

namespace tenancy::sidecar {
namespace {

// What the database and this host know, as far as it is needed to judge stamps.
struct Known {
    std::unique_ptr<Registry> registry;
    std::vector<StoreDefinition> definitions;
    InstanceIdentity identity;
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

bool is_configured(const Config& config, const std::string& name) {
    return std::any_of(config.stores.begin(), config.stores.end(),
                       [&](const StoreConfig& store) { return store.name == name; });
}

void tell_capabilities(const std::string& subject, const Capabilities& found, Findings& findings) {
    findings.ok(subject, "reachable, " + found.product + ' ' + found.version);
    for (const std::string& missing : found.missing) {
        findings.failed(subject, "cannot do what is needed: " + missing,
                        "nothing is written to this store until the server can");
    }
    for (const std::string& warning : found.warnings) {
        findings.warning(subject, warning, "see that this is meant");
    }
}

// Whether the store may be this instance's. The database's tick is read after the stamp: a daemon
// may be at work meanwhile.
bool check_stamp(const std::string& subject, const StoreDefinition& definition,
                 const std::optional<Stamp>& found, const Known& known, Findings& findings) {
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
                        "until then the store is only observed");
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
bool check_unstamped(const std::string& subject, const std::optional<Stamp>& found,
                     Findings& findings) {
    if (found) {
        findings.failed(subject, "belongs to instance " + print_uuid(found->instance),
                        "check its address; tenancyd makes no new instance beside it");
    }
    return !found;
}

void check_store(const StoreConfig& config, const StoreDefinition& definition, const Known& known,
                 Findings& findings) {
    const std::string subject = "store " + config.name;
    const auto store = make_store(config);
    store->define(definition);
    const auto stamp = store->read_stamp(Deadline::in(config.operation_timeout));
    const bool ours = known.identity.bound
                          ? check_stamp(subject, definition, stamp, known, findings)
                          : check_unstamped(subject, stamp, findings);
    // Trying out what the server can do may write to it, which is not done to somebody else's.
    if (ours) {
        tell_capabilities(subject, store->probe(Deadline::in(config.operation_timeout)), findings);
    }
}

void check_configured(const StoreConfig& config, const Known& known, Findings& findings) {
    const std::string subject = "store " + config.name;
    const StoreDefinition* definition = find(known, config.name);
    if (definition == nullptr) {
        findings.failed(subject, "in the configuration, but not defined in the database",
                        "SELECT tenancy.define_store('" + config.name + "', '" + config.kind +
                            "')");
        return;
    }
    if (definition->kind != config.kind) {
        findings.failed(subject,
                        "of kind " + definition->kind + " in the database, of kind " + config.kind +
                            " in the configuration",
                        "correct kind in [stores." + config.name + "]");
        return;
    }
    try {
        check_store(config, *definition, known, findings);
    } catch (const Unavailable& error) {
        findings.failed(subject, error.reason() + ": " + error.what(),
                        "see that the server runs and lets this host in, and that [stores." +
                            config.name + "] is right");
    }
}

} // namespace

void check_stores(const Config& config, Findings& findings) {
    try {
        const Known known = known_of(config);
        for (const StoreConfig& store : config.stores) {
            check_configured(store, known, findings);
        }
        for (const StoreDefinition& definition : known.definitions) {
            if (!is_configured(config, definition.name)) {
                findings.failed("store " + definition.name,
                                "defined in the database, but not in this configuration",
                                "add [stores." + definition.name + "], or tenancyd forget-store");
            }
        }
    } catch (const Unavailable&) {
        findings.failed("stores", "not looked at: the database cannot be reached", "see above");
    } catch (const SqlError& error) {
        findings.failed("stores", error.what(), "see above");
    }
}

} // namespace tenancy::sidecar
