// The registry as PostgreSQL would keep it, in memory: tenants, what each store has reached of
// them, leases. Leases end when a test says so, and what is to be retried is due at once.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "postgres/connection.hpp"
#include "postgres/registry.hpp"

namespace tenancy::sidecar {

class FakeDatabase {
public:
    struct Tenant {
        std::string state = "provisioning";
        bool present = true;
        std::int64_t generation = 1;
        JsonValue settings;
    };

    struct Row { // of tenancy.tenant_store
        std::int64_t observed = 0;
        std::int64_t observed_store_generation = 0;
        bool present = false;
        bool due = true;
        bool parked = false;
        std::int64_t token = 0; // 0: no lease
        std::int64_t attempts = 0;
        std::string reason;
        std::string state; // that was reported last
        int proofs = 0;    // of absence
    };

    explicit FakeDatabase(std::string store) : store_name(std::move(store)) {
        identity.live_system_identifier = identity.bound_system_identifier = "77";
        identity.live_database_oid = identity.bound_database_oid = "16384";
        identity.live_timeline = identity.bound_timeline = 1;
        definition.name = store_name;
        definition.kind = "redis";
        definition.generation = 1;
        definition.templates = std::make_shared<const Templates>();
    }

    void add(const Uuid& id) {
        const std::lock_guard lock(mutex);
        tenants[id];
        rows[id];
    }

    // A change of the tenant, as a transition or a setting makes it.
    void change(const Uuid& id, const std::string& state, bool present, const JsonValue& settings) {
        const std::lock_guard lock(mutex);
        auto& tenant = tenants.at(id);
        tenant.state = state;
        tenant.present = present;
        tenant.settings = settings;
        ++tenant.generation;
        auto& row = rows.at(id);
        row.due = true;
        row.parked = false;
        row.attempts = 0;
    }

    // Every lease runs out: what a daemon that is frozen for too long comes back to.
    void expire_leases() {
        const std::lock_guard lock(mutex);
        for (auto& [id, row] : rows) {
            row.due = row.due || row.token != 0;
            row.token = 0;
        }
    }

    void replay_parked() {
        const std::lock_guard lock(mutex);
        for (auto& [id, row] : rows) {
            row.due = row.due || row.parked;
            row.parked = false;
            row.attempts = 0;
        }
    }

    [[nodiscard]] bool converged() const {
        const std::lock_guard lock(mutex);
        for (const auto& [id, row] : rows) {
            const auto& tenant = tenants.at(id);
            if (row.due || row.token != 0 || row.observed != tenant.generation ||
                row.present != tenant.present) {
                return false;
            }
        }
        return true;
    }

    const std::string store_name;
    mutable std::mutex mutex;
    InstanceIdentity identity;
    StoreDefinition definition;
    std::map<Uuid, Tenant, bool (*)(const Uuid&, const Uuid&)> tenants{
        [](const Uuid& a, const Uuid& b) { return a.bytes < b.bytes; }};
    std::map<Uuid, Row, bool (*)(const Uuid&, const Uuid&)> rows{
        [](const Uuid& a, const Uuid& b) { return a.bytes < b.bytes; }};
    std::vector<StoreHealth> health;
    std::map<std::string, UnknownObject> unknown;
    std::string unfit; // the name of an unknown object that is refused
    std::int64_t last_token = 0;
    unsigned longest_page = 10000;
    int schedules = 0;
    std::int64_t lag_due = 0;
    double lag_seconds = 0;
    // Called at the beginning of each call with its name; throws to let it fail.
    std::function<void(std::string_view)> before = [](std::string_view) {};
};

// A session of it. `name` is the daemon's.
[[nodiscard]] std::unique_ptr<Registry> fake_registry(std::shared_ptr<FakeDatabase> database);

} // namespace tenancy::sidecar
