// Who may write to the stores: the rules, pure. Identity of the database, memory of this host and
// stamp of the store have to agree; whatever does not is observed only, until somebody decides.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "postgres/registry.hpp"
#include "reconcile/state_file.hpp"

namespace tenancy::sidecar {

struct Verdict {
    enum class Step : std::uint8_t {
        write,    // all agree
        bind,     // database and host are both new: make an instance
        complete, // this host was to bind this database, and it is bound: remember it
        observe   // nothing is written; reason and message say why and what to do
    };

    Step step = Step::observe;
    std::string reason; // CamelCase; "Ready" unless step is observe
    std::string message;
};

// Whether this daemon may write for the database that it is connected to.
[[nodiscard]] Verdict judge_identity(const InstanceIdentity& identity,
                                     const std::optional<StateFile>& memory);

// What this host is to remember once the database has been bound.
[[nodiscard]] StateFile memory_of(const InstanceIdentity& identity);

// What one daemon knows when it looks at a store's stamp.
struct StampKnowledge {
    Uuid instance;
    std::string_view store; // its name
    std::int64_t epoch = 0;
    std::int64_t tick = 0;     // that this daemon took from the database, and nobody else has; or 0
    bool tick_written = false; // this daemon has tried to stamp that tick already
    std::int64_t database_tick = 0;    // as the database said after the stamp was read
    std::int64_t last_seen = 0;        // the highest tick that this daemon has seen in this store
    bool stamped_before = false;       // the store has carried this instance's stamp
    std::string_view on_missing_stamp; // the store's policy: observe, stamp
};

struct StampVerdict {
    enum class Step : std::uint8_t {
        accept,
        stamp,       // write our stamp over what was found
        stamp_first, // the same, where there was none ever: unless others have objects there
        refuse
    };

    Step step = Step::refuse;
    bool contested = false; // refused since another copy of the database is at work
    bool went_back = false; // the store has lost what it had: look at every tenant
    std::string reason;     // "Ready" unless refused
    std::string message;
};

// A store that carries a higher tick than its own database has been written to by a copy of that
// database, or the database has been put back; so has one that carries the tick that only we have.
[[nodiscard]] StampVerdict judge_stamp(const std::optional<Stamp>& found,
                                       const StampKnowledge& known);

// What is wrong where Stamp::elsewhere: it may be another instance's, another store's, or its own.
[[nodiscard]] std::string stamp_elsewhere(const Stamp& stamp, const Uuid& ours,
                                          std::string_view store);

// For a daemon that does not write: whether the stamp is ahead of its database.
[[nodiscard]] bool is_ahead(const std::optional<Stamp>& found, const Uuid& instance,
                            std::int64_t epoch, std::int64_t database_tick);

} // namespace tenancy::sidecar
