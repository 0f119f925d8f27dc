// One store's reconciling without threads: tests take the turns.
#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include <gtest/gtest.h>

#include "fake_database.hpp"
#include "fake_store.hpp"
#include "reconcile/instance_keeper.hpp"
#include "reconcile/scanner.hpp"
#include "reconcile/store_keeper.hpp"
#include "reconcile/store_worker.hpp"

namespace tenancy::sidecar {

// A directory of its own for each, removed in the end.
class TemporaryDirectory {
public:
    TemporaryDirectory();
    ~TemporaryDirectory();
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

[[nodiscard]] StoreConfig fake_store_config();
[[nodiscard]] ReconcileConfig quick_reconcile_config();
[[nodiscard]] Uuid tenant_number(unsigned number);

// A daemon: all that a Reconciler has, stepped by hand.
struct Daemon {
    Daemon(std::shared_ptr<FakeDatabase> database, std::shared_ptr<FakeServer> server,
           const ReconcileConfig& config = quick_reconcile_config());

    // Looks at instance and store until the store may be written to, or for a few turns.
    void settle();
    // Lets everybody take a turn.
    void turn();
    // Those that are to be erased last.
    bool work() {
        const bool more = worker.run_once();
        return eraser.run_once() || more;
    }
    [[nodiscard]] Gate gate() const { return contexts.front()->gate(); }

    TemporaryDirectory directory;
    Statistics statistics;
    Surroundings surroundings;
    std::vector<std::unique_ptr<StoreContext>> contexts;
    Beat beat;
    InstanceKeeper instance;
    StoreKeeper keeper;
    StoreWorker worker, eraser;
    Scanner scanner;
};

// A database, a store, and the daemon between them. Tenants are numbered from 0.
class OneStore : public ::testing::Test {
protected:
    void add(unsigned count);
    // Takes turns until nothing is due; false when that does not come.
    [[nodiscard]] bool converge();
    [[nodiscard]] FakeDatabase::Row& row(unsigned number);
    // What the store has of the tenant; null where it has nothing.
    [[nodiscard]] FakeServer::Tenant* shown(unsigned number) const;
    // Lets the named call or step fail as if the store were down, once.
    void break_once(const std::string& call);
    // From now on every tenant is to have one collection.
    void want_a_collection();

    std::shared_ptr<FakeDatabase> database = std::make_shared<FakeDatabase>("cache");
    std::shared_ptr<FakeServer> server = std::make_shared<FakeServer>();
    Daemon daemon{database, server};
};

} // namespace tenancy::sidecar
