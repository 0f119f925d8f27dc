#include "reconcile/store_worker.hpp"

#include <algorithm>

#include "base/failpoint.hpp"
#include "base/log.hpp"
#include "reconcile/timer.hpp"

namespace tenancy::sidecar {
namespace {

// The store did not answer, as told apart from PostgreSQL, which throws the same.
class StoreDown : public Unavailable {
public:
    explicit StoreDown(const Unavailable& problem)
        : Unavailable(problem.reason(), problem.what()) {}
};

template <typename F>
auto ask_store(F&& call) {
    try {
        return call();
    } catch (const Unavailable& problem) {
        throw StoreDown(problem);
    }
}

std::vector<WorkItem*> unsettled(std::vector<WorkItem>& items, bool erasing) {
    std::vector<WorkItem*> chosen;
    for (auto& item : items) {
        if (!item.settled() && item.erases() == erasing) {
            chosen.push_back(&item);
        }
    }
    return chosen;
}

Failure lease_lost() {
    return {FailureKind::transient, "LeaseLost", "the lease ran out"};
}

// Erasing may take long: it goes on for as long as its lease is extended, up to this many leases.
constexpr int erasing_leases = 10;

} // namespace

StoreWorker::StoreWorker(Surroundings& surroundings, StoreContext& context,
                         std::unique_ptr<Registry> registry, std::unique_ptr<Store> store)
    : surroundings_(surroundings), context_(context), registry_(std::move(registry)),
      store_(std::move(store)), stamp_check_(context.config.name, *store_, *registry_),
      reporter_(surroundings, context.config.name, *registry_), name_(context.config.name) {}

void StoreWorker::run(Beat& beat) {
    const auto& config = surroundings_.config;
    while (!surroundings_.shutdown.begun()) {
        beat.within(config.lease * erasing_leases + config.poll + surroundings_.longest_call * 4);
        if (!run_once()) {
            context_.work.wait(wait_time());
        }
    }
}

Milliseconds StoreWorker::wait_time() {
    auto wait = jittered(surroundings_.poll(), random_fraction());
    for (const auto& retry : {reporter_.next_retry(), next_try_}) {
        if (retry) {
            wait = std::min(wait, retry->left() + Milliseconds(1));
        }
    }
    return wait;
}

bool StoreWorker::run_once() {
    const auto view = surroundings_.instance.view();
    const auto most = context_.breaker.allowed();
    definition_ = context_.definition();
    if (!view.may_write || !context_.gate().open || !definition_ || most == 0) {
        return false;
    }
    next_try_.reset();
    reporter_.forget_passed_retry();
    try {
        const bool more = work_on(view, most);
        postgres_failures_ = 0;
        return more;
    } catch (const SqlError& problem) {
        if (problem.sqlstate() == "TN026") {
            surroundings_.instance.fence("InstanceFenced", problem.detail());
            surroundings_.look_at_instance.signal();
        }
        postgres_down(problem.what());
    } catch (const std::exception& problem) {
        postgres_down(problem.what());
    }
    return false;
}

// Backs off by a retry of its own, so that an error that stays is not asked for without end.
void StoreWorker::postgres_down(const std::string& what) {
    log(Level::warning, "work_failed", {{"store", name_}, {"message", what}});
    const auto& config = surroundings_.config;
    next_try_ = Deadline::in(
        backoff(config.backoff_first, config.poll, ++postgres_failures_, random_fraction()));
}

bool StoreWorker::work_on(const InstanceView& view, unsigned most) {
    auto claims = claim(view, most);
    if (claims.empty()) {
        return false;
    }
    failpoint("work.claimed");
    const bool full = claims.size() == most;
    if (full) {
        context_.work.signal(); // the next batch need not wait for this one
    }
    Items items;
    items.reserve(claims.size());
    for (auto& claimed : claims) {
        items.emplace_back().claim = std::move(claimed);
    }
    bool verified = false;
    try {
        verified = reconcile(view, items);
    } catch (const StoreDown& problem) {
        store_down(view, items, problem);
        return false;
    } catch (...) {
        release(items);
        throw;
    }
    release(items);
    return full && verified;
}

std::vector<Claim> StoreWorker::claim(const InstanceView& view, unsigned most) {
    const Timer timer(surroundings_.statistics.claim_seconds.with({name_}));
    lease_ = Lease(surroundings_.config.lease);
    auto claims = registry_->claim(view.epoch, *definition_, most, surroundings_.config.lease);
    follow_definition(claims);
    return claims;
}

// The templates may have changed since they were read: those that were claimed are to get the ones
// that their store_generation is of.
void StoreWorker::follow_definition(std::vector<Claim>& claims) {
    const auto newer = std::any_of(claims.begin(), claims.end(), [this](const Claim& claimed) {
        return claimed.desired.store_generation > definition_->generation;
    });
    if (newer) {
        for (auto& definition : registry_->stores()) {
            if (definition.name == name_) {
                context_.define(std::make_shared<const StoreDefinition>(std::move(definition)));
            }
        }
        if (auto read = context_.definition()) {
            definition_ = std::move(read);
        }
    }
    for (auto& claimed : claims) {
        claimed.desired.templates = definition_->templates;
    }
}

bool StoreWorker::reconcile(const InstanceView& view, Items& items) {
    {
        const Timer timer(surroundings_.statistics.apply_seconds.with({name_}));
        store_->define(*definition_);
        if (!verify(view)) {
            return false;
        }
        observe(view, items);
        failpoint("work.observed");
        if (!stamp_check_.same_connection() && !verify(view)) {
            return false;
        }
        apply(view, unsettled(items, false), false);
    }
    context_.breaker.succeeded(static_cast<unsigned>(items.size()));
    report_done(view, items);
    apply(view, unsettled(items, true), true);
    report_done(view, items);
    return true;
}

bool StoreWorker::verify(const InstanceView& view) {
    std::optional<Failure> failure;
    try {
        failure = stamp_check_.verify(view, lease_.end());
    } catch (const Unavailable& problem) {
        throw StoreDown(problem);
    }
    if (!failure) {
        return true;
    }
    if (context_.set_gate({false, true, failure->reason, failure->message})) {
        log(Level::warning, "store_not_ready",
            {{"store", name_}, {"reason", failure->reason}, {"message", failure->message}});
    }
    context_.keep.signal();
    return false;
}

void StoreWorker::observe(const InstanceView& view, Items& items) {
    std::vector<Desired> desired;
    desired.reserve(items.size());
    for (const auto& item : items) {
        desired.push_back(item.claim.desired);
    }
    auto observed = ask_store([&] { return store_->observe(desired, lease_.end()); });
    for (std::size_t i = 0; i < items.size(); ++i) {
        if (observed.at(i).ok()) {
            look_behind(view, items[i].claim.desired, observed.at(i).value());
        }
        plan(view, items[i], observed.at(i));
    }
}

// A store that is ahead of the claim: another daemon was faster, unless the database has not come
// as far by now. Then nobody of ours wrote that.
void StoreWorker::look_behind(const InstanceView& view, Desired& desired,
                              const Observed& observed) {
    if (!observed.marker || observed.marker->instance != view.instance ||
        observed.marker->generation <= desired.generation) {
        return;
    }
    const auto shown = observed.marker->generation;
    const auto now = desired_now(*registry_, *definition_, desired.tenant);
    const auto given_out = now ? now->generation : shown;
    if (given_out < shown) {
        log(Level::warning, "generation_disowned",
            {{"store", name_},
             {"tenant", print_uuid(desired.tenant)},
             {"shown", shown},
             {"generation", given_out}});
        desired.disowned = shown;
    }
}

void StoreWorker::plan(const InstanceView& view, WorkItem& item, const Result<Observed>& found) {
    if (!found.ok()) {
        item.failure = found.failure();
        return;
    }
    auto decided =
        decide(item.claim.desired, found.value(), view.instance, definition_->unknown_objects);
    if (!decided.ok()) {
        item.failure = decided.failure();
        return;
    }
    item.plan = std::move(decided.value());
    item.planned = true;
    item.applied = item.plan.actions.empty();
}

bool StoreWorker::keep_lease(const std::vector<WorkItem*>& chosen) {
    if (lease_.over() || surroundings_.shutdown.overdue()) {
        return false;
    }
    if (!lease_.wants_extension()) {
        return true;
    }
    std::vector<std::int64_t> tokens;
    tokens.reserve(chosen.size());
    for (const auto* item : chosen) {
        tokens.push_back(item->claim.token);
    }
    const Lease extended(surroundings_.config.lease);
    try {
        if (registry_->extend(name_, tokens, surroundings_.config.lease).size() != tokens.size()) {
            return false;
        }
        lease_ = extended;
    } catch (const std::exception&) {
        return !lease_.over(); // PostgreSQL is away: the lease that there is may still be used
    }
    return true;
}

void StoreWorker::apply(const InstanceView& view, const std::vector<WorkItem*>& chosen,
                        bool erasing) {
    if (chosen.empty()) {
        return;
    }
    const auto alive = [&] {
        return erasing ? keep_lease(chosen) : !lease_.over() && !surroundings_.shutdown.overdue();
    };
    if (!alive()) {
        for (auto* item : chosen) {
            item->failure = lease_lost();
        }
        return;
    }
    std::vector<Work> work;
    work.reserve(chosen.size());
    for (const auto* item : chosen) {
        work.push_back({&item->claim.desired, item->plan.actions});
    }
    const auto deadline =
        erasing ? Deadline::in(surroundings_.config.lease * erasing_leases) : lease_.end();
    const auto outcomes =
        ask_store([&] { return store_->apply(work, view.instance, alive, deadline); });
    failpoint("work.applied");
    for (std::size_t i = 0; i < chosen.size(); ++i) {
        settle(*chosen[i], outcomes.at(i));
    }
}

void StoreWorker::settle(WorkItem& item, const Outcome& outcome) {
    const auto& actions = item.plan.actions;
    for (std::size_t done = 0; done < outcome.actions_done && done < actions.size(); ++done) {
        const std::string action(name_of(actions[done].kind));
        surroundings_.statistics.actions.with({name_, action}).add();
    }
    item.failure = outcome.failure;
    item.applied = !outcome.failure;
}

void StoreWorker::report_done(const InstanceView& view, Items& items) {
    std::vector<Report> reports;
    std::vector<WorkItem*> reported;
    for (auto& item : items) {
        if (item.finished || !item.settled() || item.interrupted()) {
            continue;
        }
        reports.push_back(make_report(item, surroundings_.config, random_fraction()));
        reported.push_back(&item);
    }
    if (reports.empty()) {
        return;
    }
    reporter_.deliver(view, reports, lease_);
    for (auto* item : reported) {
        item->finished = true;
    }
    failpoint("work.reported");
}

// Given back at once, so that nobody has to wait for the lease; it ends by itself all the same.
void StoreWorker::release(const Items& items) {
    std::vector<std::int64_t> tokens;
    for (const auto& item : items) {
        if (!item.finished) {
            tokens.push_back(item.claim.token);
        }
    }
    if (tokens.empty()) {
        return;
    }
    surroundings_.statistics.tenants.with({name_, "released"}).add(tokens.size());
    try {
        registry_->release(name_, tokens);
    } catch (const std::exception& problem) {
        log(Level::warning, "release_failed", {{"store", name_}, {"message", problem.what()}});
    }
}

// Nobody is charged for an outage, except a tenant that was alone with a store that had just
// answered: it may be the one that brings the store down, and would be first in line again.
void StoreWorker::store_down(const InstanceView& view, Items& items, const Unavailable& problem) {
    surroundings_.statistics.unavailable.with({name_}).add();
    log(Level::warning, "store_unavailable",
        {{"store", name_}, {"reason", problem.reason()}, {"message", problem.what()}});
    context_.breaker.failed();
    context_.keep.signal();
    if (items.size() == 1 && items.front().planned) {
        items.front().failure = Failure{FailureKind::transient, "StoreUnavailable", problem.what()};
        items.front().applied = false;
        try {
            report_done(view, items);
        } catch (...) {
            release(items);
            throw;
        }
    }
    release(items);
}

} // namespace tenancy::sidecar
