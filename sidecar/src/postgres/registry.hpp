// The work functions of the extension, as the reconciler calls them. An interface, so that the
// reconciler is tested without a database.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/deadline.hpp"
#include "store/store.hpp"

namespace tenancy::sidecar {

// tenancy.instance_identity(): what the database says it is, and what it was bound to.
struct InstanceIdentity {
    bool bound = false;
    Uuid id;
    std::int64_t epoch = 0;
    std::int64_t tick = 0;
    std::string bound_system_identifier, live_system_identifier;
    std::string bound_database_oid, live_database_oid;
    std::int64_t bound_timeline = 0, live_timeline = 0;
    bool in_recovery = false;

    // Whether this server and database are those that the instance was bound to.
    [[nodiscard]] bool matches() const {
        return bound && !in_recovery && bound_system_identifier == live_system_identifier &&
               bound_database_oid == live_database_oid && bound_timeline == live_timeline;
    }

    // Tells databases apart that say they are the same instance.
    [[nodiscard]] std::string live() const {
        return live_system_identifier + '/' + live_database_oid + '/' +
               std::to_string(live_timeline);
    }
};

// What the database was bound as.
struct Binding {
    Uuid id;
    std::int64_t epoch = 0;
};

// A tenant that this daemon works on until the lease is over.
struct Claim {
    Desired desired;
    std::int64_t token = 0;
    std::int64_t attempts = 0; // transient failures in a row so far
};

// Whom a claim takes: those that are to be in the store, or those that are to be gone from it.
enum class Task : std::uint8_t { keep, erase };

struct Report {
    enum class Outcome { converged, retry, parked };

    Uuid tenant;
    std::int64_t token = 0;
    std::int64_t generation = 0;
    std::int64_t store_generation = 0;
    Outcome outcome = Outcome::converged;
    bool present = true;  // whether the tenant is in the store now
    bool drifted = false; // something was repaired that no change of the tenant explains
    std::string state;    // that the store shows now; empty where that is not known
    std::string reason;   // of failures, CamelCase
    std::string message;
    Milliseconds retry_after{0};
};

struct StoreHealth {
    bool reachable = false;
    bool fenced = false;
    std::string reason; // CamelCase: Ready, Unreachable, StampMismatch, CapabilityMissing, ...
    std::string message;
    std::optional<Capabilities> capabilities; // when probed anew
    bool stamped = false;                     // the store carries this instance's stamp
};

// How far an attached store is behind.
struct StoreLag {
    std::string store;
    std::int64_t due = 0; // tenants
    double seconds = 0;   // the age of the oldest change; 0 when nothing is due
};

struct UnknownObject {
    FoundObject object;
    std::string
        reason; // "UnknownTenant", "ForeignInstance", "NoMarker", "Unanswered", "ExtraCollection"
    std::string resolution; // "reported", "adopted", "pruned"
};

// All calls throw Unavailable and SqlError as Connection does; SqlError TN026 when this database or
// epoch is not (any more) the instance: then the daemon only observes.
class Registry {
public:
    virtual ~Registry() = default;

    // From now on every session has to be one with this instance's database; with another's every
    // call throws SqlError TN026. Behind the same name may be a copy that has become an instance
    // of its own. Before the first call, and with nothing, any database will do.
    virtual void serve(const std::optional<Uuid>& instance) = 0;

    virtual InstanceIdentity identity() = 0;
    // tenancy.bind_instance(): role "new", "replacement" or "clone". The id and epoch from then on.
    virtual Binding bind(const std::string& role) = 0;
    // Heartbeat of the daemon, and the next tick of the instance.
    virtual std::int64_t tick(std::int64_t epoch) = 0;
    virtual std::vector<StoreDefinition> stores() = 0;
    virtual void report_store(std::int64_t epoch, const std::string& store,
                              const StoreHealth& health) = 0;

    virtual std::vector<Claim> claim(std::int64_t epoch, const StoreDefinition& store, Task task,
                                     unsigned most, Milliseconds lease) = 0;
    // The tokens that are still held, extended.
    virtual std::vector<std::int64_t> extend(const std::string& store,
                                             const std::vector<std::int64_t>& tokens,
                                             Milliseconds lease) = 0;
    // Gives unfinished claims back at once: when the daemon ends or the store went away.
    virtual void release(const std::string& store, const std::vector<std::int64_t>& tokens) = 0;
    // False for each report whose lease was lost; those tenants are looked at again.
    virtual std::vector<bool> report(std::int64_t epoch, const std::string& store,
                                     const std::vector<Report>& reports) = 0;

    // For the scanner: what should be there, page by page: by id, every tenant that the store has
    // to show or to have erased. A page may be of fewer than `most`; an empty one is the end.
    virtual std::vector<Desired> desired_after(const StoreDefinition& store,
                                               const std::optional<Uuid>& after, unsigned most) = 0;
    // Marks tenants as due because the store differs.
    virtual void request_repair(std::int64_t epoch, const std::string& store,
                                const std::vector<Uuid>& tenants) = 0;
    // What the scan found that no tenant explains. The last call of a scan is `complete`: what was
    // known before and not found again is taken off the list.
    virtual void report_unknown(std::int64_t epoch, const std::string& store,
                                const std::string& scan, const std::vector<UnknownObject>& objects,
                                bool complete, std::int64_t tenants, std::int64_t differing) = 0;

    virtual void run_schedule() = 0;
    // tenancy.store_lag().
    virtual std::vector<StoreLag> lags() = 0;
};

// What is wanted of one tenant now; nothing when the store has nothing to do with it.
[[nodiscard]] std::optional<Desired> desired_now(Registry& registry, const StoreDefinition& store,
                                                 const Uuid& tenant);

// Over a connection of its own. `daemon` names this daemon in leases and heartbeats.
[[nodiscard]] std::unique_ptr<Registry> make_registry(const PostgresConfig& config,
                                                      const std::string& daemon);

} // namespace tenancy::sidecar
