// The interface to one outside store. MongoDB and Redis implement it; the reconciler knows nothing
// else of them.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/deadline.hpp"
#include "base/failure.hpp"
#include "config/config.hpp"
#include "store/model.hpp"

namespace tenancy::sidecar {

// A row of tenancy.store, with its templates.
struct StoreDefinition {
    std::string name;
    std::string kind; // "mongodb", "redis"
    std::vector<std::string> required_for;
    std::string unknown_objects = "report";   // report, adopt, prune
    std::string on_missing_stamp = "observe"; // observe, stamp
    JsonValue options;
    std::int64_t generation = 0; // changes with every part of this but `stamped`
    std::shared_ptr<const Templates> templates;
    bool stamped = false; // this instance's stamp was written to the store once
};

// A tenant and the steps to take for it.
struct Work {
    const Desired* desired = nullptr; // borrowed
    std::vector<Action> actions;
};

// Done, or the step that failed and why. `actions_done` counts those that were taken.
// `published`: the state as desired is shown, also where something failed in the same step.
struct Outcome {
    std::size_t actions_done = 0;
    bool published = false;
    std::optional<Failure> failure;
};

// What apply() answers where `alive` said no.
[[nodiscard]] Failure lease_lost();

// A session with a store, used by one thread at a time. Connects when it has to. Every call is over
// by its deadline, and throws Unavailable when the store does not answer by then, refuses the
// connection or the credentials, or says it cannot take writes now (full, no primary).
class Store {
public:
    virtual ~Store() = default;

    // Called before anything else, and when the definition has changed (options, policy).
    virtual void define(const StoreDefinition& definition) = 0;

    // What the server can do, found out by asking and trying.
    [[nodiscard]] virtual Capabilities probe(Deadline deadline) = 0;

    // The stamp, or nothing when the store has none.
    [[nodiscard]] virtual std::optional<Stamp> read_stamp(Deadline deadline) = 0;
    // Writes it if the store's is still `expected`; false when it is not any more.
    [[nodiscard]] virtual bool write_stamp(const Stamp& stamp, const std::optional<Stamp>& expected,
                                           Deadline deadline) = 0;
    // Counts up whenever a new connection was made, so that whoever verified the stamp knows to do
    // it again: behind the name may be another server now.
    [[nodiscard]] virtual std::uint64_t connection_number() const = 0;

    // Names the runs of the servers that hold the store's data, from each one's start to its end:
    // another text once one was started anew, was promoted, or another answers in its place. What
    // it had acknowledged may be lost then.
    [[nodiscard]] virtual std::string runs(Deadline deadline) = 0;

    // One result for each tenant, in order. Where `desired` is to be absent only has_objects
    // counts.
    [[nodiscard]] virtual std::vector<Result<Observed>> observe(std::span<const Desired> tenants,
                                                                Deadline deadline) = 0;

    // Takes the steps of each, in order; a failure ends that tenant's steps only. Calls `alive` now
    // and then during long steps; when it returns false the lease is lost: stop, with
    // lease_lost().
    [[nodiscard]] virtual std::vector<Outcome> apply(std::span<const Work> work,
                                                     const Uuid& instance,
                                                     const std::function<bool()>& alive,
                                                     Deadline deadline) = 0;

    // Everything in the store that bears the name of a tenant or has that form. May be called for
    // 100,000 of them: in batches, without holding the server up. `batch` returns false to stop.
    virtual void list(const std::function<bool(std::vector<FoundObject>)>& batch,
                      Deadline deadline) = 0;
    // Makes an unknown object `instance`'s (writes a marker), or removes it for good.
    [[nodiscard]] virtual std::optional<Failure> adopt(const FoundObject& object,
                                                       const Uuid& instance, Deadline deadline) = 0;
    [[nodiscard]] virtual std::optional<Failure> prune(const FoundObject& object,
                                                       Deadline deadline) = 0;
};

// A new session of the kind that the configuration names. Does not connect yet. Throws ConfigError
// when the configuration cannot be used (certificate missing, URI malformed).
[[nodiscard]] std::unique_ptr<Store> make_store(const StoreConfig& config);
[[nodiscard]] std::unique_ptr<Store> make_redis_store(const StoreConfig& config);
[[nodiscard]] std::unique_ptr<Store> make_mongodb_store(const StoreConfig& config);

} // namespace tenancy::sidecar
