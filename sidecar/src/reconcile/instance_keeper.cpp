#include "reconcile/instance_keeper.hpp"

#include <algorithm>
#include <limits>

#include "base/failpoint.hpp"
#include "base/log.hpp"
#include "postgres/connection.hpp"
#include "reconcile/backoff.hpp"

namespace tenancy::sidecar {

InstanceKeeper::InstanceKeeper(Surroundings& surroundings, std::filesystem::path state_directory,
                               Contexts contexts, std::unique_ptr<Registry> registry)
    : surroundings_(surroundings), directory_(std::move(state_directory)), contexts_(contexts),
      registry_(std::move(registry)) {}

void InstanceKeeper::run(Beat& beat) {
    const auto& config = surroundings_.config;
    while (!surroundings_.shutdown.begun()) {
        beat.within(config.tick + surroundings_.longest_call * 6);
        run_once();
        auto wait = std::min(config.tick, config.schedule);
        if (failures_ > 0) {
            wait = backoff(config.backoff_first, std::min(wait, Milliseconds(2000)), failures_,
                           random_fraction());
        } else if (!surroundings_.instance.view().may_write) {
            wait = std::min(wait, Milliseconds(1000));
        }
        surroundings_.look_at_instance.wait(jittered(wait, random_fraction()));
    }
}

void InstanceKeeper::run_once() {
    try {
        look();
        failures_ = 0;
        surroundings_.statistics.postgres_connected.with({}).set(1);
    } catch (const SqlError& problem) {
        ++failures_;
        observe_only({Verdict::Step::observe,
                      problem.sqlstate() == "TN026" ? "InstanceFenced" : "PostgresError",
                      std::string(problem.what()) +
                          (problem.detail().empty() ? "" : ": " + problem.detail())});
    } catch (const Unavailable& problem) {
        ++failures_;
        surroundings_.statistics.postgres_connected.with({}).set(0);
        observe_only({Verdict::Step::observe, "PostgresUnavailable", problem.what()});
    } catch (const StateFileError& problem) {
        observe_only({Verdict::Step::observe, "StateFileUnusable", problem.what()});
    } catch (const std::exception& problem) {
        ++failures_;
        observe_only({Verdict::Step::observe, "InternalError", problem.what()});
    }
}

void InstanceKeeper::look() {
    const auto identity = registry_->identity();
    read_definitions();
    know(identity);
    const auto verdict = judge_identity(identity, read_state_file(directory_));
    switch (verdict.step) {
    case Verdict::Step::observe:
        observe_only(verdict);
        return;
    case Verdict::Step::bind:
        bind(identity);
        return;
    case Verdict::Step::complete:
        remember(identity);
        keep(identity);
        return;
    case Verdict::Step::write:
        keep(identity);
        return;
    }
}

// The stores' keepers compare with it, whether or not something may be written.
void InstanceKeeper::know(const InstanceIdentity& identity) {
    auto view = surroundings_.instance.view();
    if (!view.may_write && identity.bound &&
        (view.instance != identity.id || view.epoch != identity.epoch ||
         view.database != identity.live())) {
        view.instance = identity.id;
        view.epoch = identity.epoch;
        view.database = identity.live();
        surroundings_.instance.set(std::move(view));
        for (const auto& context : contexts_) {
            context->set_stamp_seen(StampSeen::not_tried);
            context->stamp.signal();
        }
    }
}

// A fresh instance does not begin on stores that belong to another one.
std::optional<Verdict> InstanceKeeper::not_fresh() const {
    for (const auto& context : contexts_) {
        if (!context->definition()) {
            continue;
        }
        const auto seen = context->stamp_seen();
        if (seen == StampSeen::not_tried) {
            return Verdict{Verdict::Step::observe, "Starting", "the stores are being looked at"};
        }
        if (seen == StampSeen::present) {
            return Verdict{Verdict::Step::observe, "StoresStamped",
                           "the database is new, but store " + context->config.name +
                               " belongs to an instance; check the addresses, or bind the "
                               "database by tenancyd adopt --as replacement"};
        }
    }
    return std::nullopt;
}

void InstanceKeeper::bind(const InstanceIdentity& identity) {
    if (const auto verdict = not_fresh()) {
        observe_only(*verdict);
        return;
    }
    StateFile intent;
    intent.binding = true;
    intent.system_identifier = identity.live_system_identifier;
    intent.database_oid = identity.live_database_oid;
    intent.timeline = identity.live_timeline;
    write_state_file(directory_, intent);
    failpoint("fence.intended");
    const auto binding = registry_->bind("new");
    failpoint("fence.bound");
    log(Level::info, "instance_bound",
        {{"instance", print_uuid(binding.id)}, {"epoch", binding.epoch}});
    const auto bound = registry_->identity();
    if (judge_identity(bound, intent).step == Verdict::Step::complete) {
        remember(bound);
        keep(bound);
    }
}

void InstanceKeeper::remember(const InstanceIdentity& identity) {
    write_state_file(directory_, memory_of(identity));
    failpoint("fence.state_written");
}

// No tick is taken before the stores were looked at, nor while one is contested or none answers: a
// copy of the database that waits must not overtake its original.
void InstanceKeeper::keep(const InstanceIdentity& identity) {
    const auto fences = surroundings_.instance.view().fences;
    const auto stores = look_at_stores();
    if (!stores.all_tried && !surroundings_.instance.view().may_write) {
        observe_only({Verdict::Step::observe, "Starting", "the stores are being looked at"});
        return;
    }
    if (stores.contested) {
        auto view = surroundings_.instance.view();
        const bool told = view.reason == "StampMismatch";
        observe_only({Verdict::Step::observe, "StampMismatch",
                      told ? view.message
                           : "a store has seen more of the instance than this database: another "
                             "copy of it is at work, or it was put back; run tenancyd adopt --as "
                             "replacement or --as clone"});
        return;
    }
    InstanceView view;
    view.may_write = true;
    view.instance = identity.id;
    view.epoch = identity.epoch;
    view.database = identity.live();
    view.tick = stores.reachable ? registry_->tick(identity.epoch) : 0;
    view.fences = fences;
    view.reason = "Ready";
    view.message.clear();
    failpoint("fence.ticked");
    publish(std::move(view));
    if (schedule_at_.passed()) {
        schedule_at_ = Deadline::in(jittered(surroundings_.config.schedule, random_fraction()));
        run_schedule();
        measure_lag();
    }
}

InstanceKeeper::StoresSeen InstanceKeeper::look_at_stores() const {
    StoresSeen stores;
    bool any = false;
    for (const auto& context : contexts_) {
        if (!context->definition()) {
            continue;
        }
        any = true;
        const auto seen = context->stamp_seen();
        stores.all_tried = stores.all_tried && seen != StampSeen::not_tried;
        stores.contested = stores.contested || context->contested();
        stores.reachable =
            stores.reachable || seen == StampSeen::none || seen == StampSeen::present;
    }
    stores.reachable = stores.reachable || !any;
    return stores;
}

void InstanceKeeper::publish(InstanceView view) {
    const bool changed = surroundings_.instance.set(std::move(view));
    const auto now = surroundings_.instance.view();
    const bool may_write = now.may_write;
    surroundings_.statistics.fenced.with({}).set(may_write ? 0 : 1);
    for (const auto& context : contexts_) {
        if (may_write || changed) {
            context->stamp.signal();
        }
        if (may_write && changed) {
            context->signal_work();
        }
    }
    if (changed) {
        log(may_write ? Level::info : Level::warning, may_write ? "writing" : "observing_only",
            {{"instance", print_uuid(now.instance)},
             {"epoch", now.epoch},
             {"reason", now.reason},
             {"message", now.message}});
    }
}

void InstanceKeeper::observe_only(const Verdict& verdict) {
    auto view = surroundings_.instance.view();
    view.may_write = false;
    view.reason = verdict.reason;
    view.message = verdict.message;
    publish(std::move(view));
    forget_lag();
}

void InstanceKeeper::read_definitions() {
    auto definitions = registry_->stores();
    for (const auto& context : contexts_) {
        const auto& config = context->config;
        const auto found =
            std::find_if(definitions.begin(), definitions.end(), [&](const auto& definition) {
                return definition.name == config.name && definition.kind == config.kind;
            });
        if (context->define(found == definitions.end()
                                ? nullptr
                                : std::make_shared<const StoreDefinition>(std::move(*found)))) {
            context->stamp.signal();
        }
    }
}

// It counts every tenant that is due, so it is not asked at each look.
void InstanceKeeper::measure_lag() {
    try {
        const auto lags = registry_->lags();
        for (const auto& context : contexts_) {
            const auto& name = context->config.name;
            const auto found = std::find_if(lags.begin(), lags.end(),
                                            [&](const auto& lag) { return lag.store == name; });
            const auto lag = found == lags.end() ? StoreLag{} : *found;
            surroundings_.statistics.due.with({name}).set(static_cast<double>(lag.due));
            surroundings_.statistics.lag.with({name}).set(lag.seconds);
        }
    } catch (const SqlError& problem) {
        log(Level::warning, "lag_not_known", {{"message", problem.what()}});
    }
}

// What was measured last would pass for what is.
void InstanceKeeper::forget_lag() {
    constexpr double unknown = std::numeric_limits<double>::quiet_NaN();
    for (const auto& context : contexts_) {
        surroundings_.statistics.due.with({context->config.name}).set(unknown);
        surroundings_.statistics.lag.with({context->config.name}).set(unknown);
    }
}

void InstanceKeeper::run_schedule() {
    try {
        registry_->run_schedule();
    } catch (const SqlError& problem) {
        log(Level::error, "schedule_failed", {{"message", problem.what()}});
    }
}

} // namespace tenancy::sidecar
