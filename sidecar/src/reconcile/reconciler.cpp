#include "reconcile/reconciler.hpp"

#include <algorithm>
#include <atomic>
#include <deque>
#include <thread>

#include "base/log.hpp"
#include "postgres/connection.hpp"
#include "reconcile/beat.hpp"
#include "reconcile/instance_keeper.hpp"
#include "reconcile/listener.hpp"
#include "reconcile/scanner.hpp"
#include "reconcile/store_keeper.hpp"
#include "reconcile/store_worker.hpp"

namespace tenancy::sidecar {

SessionFactories real_sessions(const Config& config) {
    return {[&config] { return make_registry(config.postgres, config.daemon); },
            [](const StoreConfig& store) { return make_store(store); },
            [&config] { return make_notifications(config.postgres); }};
}

namespace {

Milliseconds longest_call(const Config& config) {
    auto longest = config.postgres.connect_timeout + config.postgres.statement_timeout;
    for (const auto& store : config.stores) {
        longest = std::max(longest, store.connect_timeout + store.operation_timeout);
    }
    return longest;
}

} // namespace

class Reconciler::Threads {
public:
    Threads(const Config& config, Statistics& statistics, const SessionFactories& factories)
        : surroundings_(config.reconcile, longest_call(config), statistics) {
        for (const auto& store : config.stores) {
            contexts_.push_back(std::make_unique<StoreContext>(store, config.reconcile));
        }
        instance_ = std::make_unique<InstanceKeeper>(surroundings_, config.state_directory,
                                                     contexts_, factories.registry());
        listener_ = std::make_unique<Listener>(surroundings_, contexts_, factories.notifications());
        for (const auto& context : contexts_) {
            const auto& store = context->config;
            keepers_.emplace_back(surroundings_, *context, factories.registry(),
                                  factories.store(store));
            scanners_.emplace_back(surroundings_, *context, factories.registry(),
                                   factories.store(store));
            for (unsigned i = 0; i < store.workers; ++i) {
                add_worker(*context, Task::keep, factories);
            }
            add_worker(*context, Task::erase, factories);
        }
    }

    void start() {
        run(*instance_);
        run(*listener_);
        for (auto& keeper : keepers_) {
            run(keeper);
        }
        for (auto& scanner : scanners_) {
            run(scanner);
        }
        for (auto& worker : workers_) {
            run(worker);
        }
        running_ = true;
    }

    void stop(Deadline deadline) {
        running_ = false;
        surroundings_.shutdown.begin(deadline);
        surroundings_.look_at_instance.stop();
        for (const auto& context : contexts_) {
            context->stop();
        }
        listener_->interrupt();
        for (auto& thread : threads_) {
            thread.join();
        }
        threads_.clear();
    }

    [[nodiscard]] Readiness ready() const {
        Readiness readiness;
        const auto view = surroundings_.instance.view();
        const bool answers = view.reason != "Starting" && view.reason != "PostgresUnavailable" &&
                             view.reason != "PostgresError";
        readiness.ready = running_ && answers;
        readiness.observing = !view.may_write;
        if (!view.may_write) {
            readiness.reasons.push_back(view.reason + ": " + view.message);
        }
        for (const auto& context : contexts_) {
            const auto gate = context->gate();
            if (view.may_write && !gate.open) {
                readiness.reasons.push_back("store " + context->config.name + ": " + gate.reason +
                                            ": " + gate.message);
            }
        }
        return readiness;
    }

    [[nodiscard]] bool healthy() const {
        return std::none_of(beats_.begin(), beats_.end(),
                            [](const auto& beat) { return beat.missed(); });
    }

private:
    void add_worker(StoreContext& context, Task task, const SessionFactories& factories) {
        workers_.emplace_back(surroundings_, context, task, factories.registry(),
                              factories.store(context.config));
    }

    template <typename Runner>
    void run(Runner& runner) {
        auto& beat = beats_.emplace_back();
        threads_.emplace_back([&runner, &beat] { runner.run(beat); });
    }

    Surroundings surroundings_;
    std::vector<std::unique_ptr<StoreContext>> contexts_;
    std::unique_ptr<InstanceKeeper> instance_;
    std::unique_ptr<Listener> listener_;
    std::deque<StoreKeeper> keepers_;
    std::deque<Scanner> scanners_;
    std::deque<StoreWorker> workers_;
    std::deque<Beat> beats_;
    std::vector<std::thread> threads_;
    std::atomic<bool> running_{false}; // ready() is asked while the threads come and go
};

Reconciler::Reconciler(const Config& config, Statistics& statistics)
    : Reconciler(config, statistics, real_sessions(config)) {}

Reconciler::Reconciler(const Config& config, Statistics& statistics,
                       const SessionFactories& factories)
    : threads_(std::make_unique<Threads>(config, statistics, factories)) {}

Reconciler::~Reconciler() {
    stop(Deadline::in(Milliseconds(30000)));
}

void Reconciler::start() {
    threads_->start();
}

void Reconciler::stop(Deadline deadline) {
    threads_->stop(deadline);
}

Readiness Reconciler::ready() const {
    return threads_->ready();
}

bool Reconciler::healthy() const {
    return threads_->healthy();
}

} // namespace tenancy::sidecar
