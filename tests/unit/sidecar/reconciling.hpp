// One store's reconciling without threads: tests take the turns.
#pragma once

#include <filesystem>
#include <memory>
#include <vector>

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
    [[nodiscard]] bool work() { return worker.run_once(); }
    [[nodiscard]] Gate gate() const { return contexts.front()->gate(); }

    TemporaryDirectory directory;
    Statistics statistics;
    Surroundings surroundings;
    std::vector<std::unique_ptr<StoreContext>> contexts;
    Beat beat;
    InstanceKeeper instance;
    StoreKeeper keeper;
    StoreWorker worker;
    Scanner scanner;
};

} // namespace tenancy::sidecar
