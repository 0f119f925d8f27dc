#include "reconcile/store_worker.hpp"

#include <algorithm>
#include <iterator>

#include "base/failpoint.hpp"
#include "base/log.hpp"
#include "reconcile/suspects.hpp"
#include "reconcile/timer.hpp"

namespace tenancy::sidecar {
namespace {

// Whether what is wanted takes something from the tenant: that goes first.
bool is_urgent(const WorkItem& item) {
    return restricts(item.claim.desired.state);
}

} // namespace

StoreWorker::StoreWorker(Surroundings& surroundings, StoreContext& context, Task task,
                         std::unique_ptr<Registry> registry, std::unique_ptr<Store> store)
    : surroundings_(surroundings), context_(context), task_(task),
      wakeup_(task == Task::erase ? context.due_to_erase : context.due),
      registry_(std::move(registry)), store_(std::move(store)),
      attempt_(surroundings, context, *registry_, *store_),
      reporter_(surroundings, context.config.name, *registry_), name_(context.config.name) {}

void StoreWorker::run(Beat& beat) {
    const auto& config = surroundings_.config;
    const int leases = task_ == Task::erase ? Attempt::longest_erasing : 1;
    while (!surroundings_.shutdown.begun()) {
        beat.within(config.lease * leases + config.poll + surroundings_.longest_call * 4);
        if (!run_once()) {
            wakeup_.wait(wait_time());
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
    const auto most = context_.breaker.allowed(task_);
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
    auto round = claim(view, most);
    if (round.items.empty()) {
        if (task_ == Task::keep) {
            context_.due_to_erase.signal(); // what was worked on, or met, may be to be erased
        }
        return false;
    }
    failpoint("work.claimed");
    const bool full = round.items.size() == most;
    if (full) {
        wakeup_.signal(); // the next batch need not wait for this one
    }
    bool verified = false;
    try {
        verified = reconcile(round);
    } catch (const StoreDown& problem) {
        store_down(round, problem);
        return false;
    } catch (...) {
        release(round);
        throw;
    }
    release(round);
    // Who changed meanwhile is due again, and tells nobody.
    const bool more = std::any_of(round.items.begin(), round.items.end(), [](const WorkItem& item) {
        return item.finished == (item.settled() && !item.interrupted());
    });
    return verified && (full || more);
}

Round StoreWorker::claim(const InstanceView& view, unsigned most) {
    const Timer timer(surroundings_.statistics.claim_seconds.with({name_}));
    Round round{view, nullptr, Lease(surroundings_.config.lease), {}, std::nullopt};
    registry_->serve(view.instance);
    auto claims =
        registry_->claim(view.epoch, *definition_, task_, most, surroundings_.config.lease);
    context_.claimed += claims.size();
    follow_definition(claims);
    round.definition = definition_;
    round.items.reserve(claims.size());
    for (auto& claimed : claims) {
        round.items.emplace_back().claim = std::move(claimed);
    }
    return round;
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

bool StoreWorker::reconcile(Round& round) {
    const auto groups = divide(round.items);
    slowed_ = false;
    store_->define(*round.definition);
    if (!attempt_.verify(round)) {
        return false;
    }
    for (const auto* group : {&groups.urgent, &groups.others}) {
        if (!together(round, *group, Step::converge)) {
            return false;
        }
        report_done(round, *group);
    }
    if (!slowed_) {
        // Suspects count: where all that may be claimed are some, others would never have a turn.
        context_.breaker.worked(task_, static_cast<unsigned>(round.items.size()));
    }
    Chosen erasing;
    for (const auto* group : {&groups.urgent, &groups.others}) {
        std::copy_if(group->begin(), group->end(), std::back_inserter(erasing),
                     [](const auto* item) { return !item->settled() && item->erases(); });
    }
    if (!together(round, erasing, Step::erase)) {
        return false;
    }
    report_done(round, erasing);
    return try_suspect(round, groups.suspects);
}

StoreWorker::Groups StoreWorker::divide(std::vector<WorkItem>& items) const {
    Groups groups;
    for (auto& item : items) {
        auto& group = context_.suspects.contains(item.claim.desired.tenant) ? groups.suspects
                      : is_urgent(item)                                     ? groups.urgent
                                                                            : groups.others;
        group.push_back(&item);
    }
    return groups;
}

bool StoreWorker::take(Round& round, const Chosen& chosen, Step step, Milliseconds patience) {
    if (step == Step::erase) {
        const bool verified = attempt_.erase(round, chosen);
        note_suspects(chosen);
        return verified;
    }
    const Timer timer(surroundings_.statistics.apply_seconds.with({name_}));
    const bool verified = attempt_.converge(round, chosen, patience);
    note_suspects(chosen);
    return verified;
}

// The server may be the one that gives up: it is there then, and the tenant's failure is TimedOut.
void StoreWorker::note_suspects(const Chosen& chosen) {
    for (const auto* item : chosen) {
        const auto& tenant = item->claim.desired.tenant;
        if (item->failure && item->failure->reason == "TimedOut") {
            context_.suspects.add(tenant);
        } else if (item->settled() && !item->interrupted()) {
            context_.suspects.remove(tenant);
        }
    }
}

// A store that answers all the same is not away: it may be one tenant that holds it up.
bool StoreWorker::together(Round& round, const Chosen& group, Step step) {
    if (group.empty()) {
        return true;
    }
    if (group.size() > 1) {
        try {
            return take(round, group, step, patience_with_many(context_.config.operation_timeout));
        } catch (const Unanswered& problem) {
            if (!attempt_.answers()) {
                throw;
            }
            log(Level::warning, "tenants_unanswered",
                {{"store", name_}, {"tenants", group.size()}, {"message", problem.what()}});
            if (!round.over()) {
                slowed_ = true;
                context_.breaker.slowed(task_);
            }
        }
    }
    for (auto* item : group) {
        if (!alone(round, *item, step)) {
            return false;
        }
    }
    return true;
}

bool StoreWorker::alone(Round& round, WorkItem& item, Step step) {
    if (item.settled() || round.over() || surroundings_.shutdown.overdue()) {
        return true; // it is released, where it is not settled
    }
    try {
        const auto patience =
            patience_with_one(context_.config.operation_timeout, item.claim.attempts);
        if (!take(round, {&item}, step, patience)) {
            return false;
        }
    } catch (const Unanswered& problem) {
        if (!attempt_.answers()) {
            throw;
        }
        context_.suspects.add(item.claim.desired.tenant);
        item.failure = Failure{FailureKind::transient, problem.reason(), problem.what()};
        item.applied = false;
    }
    report_done(round, {&item});
    return true;
}

// One at a time, so that whoever has become due meanwhile waits for no more than that. Where
// another worker is at one, they are left until the lease is over, and this worker to the others.
bool StoreWorker::try_suspect(Round& round, const Chosen& suspects) {
    if (suspects.empty()) {
        return true;
    }
    const auto turn = context_.suspects.take_turn(task_);
    if (turn) {
        const auto urgent = std::find_if(suspects.begin(), suspects.end(),
                                         [](const auto* each) { return is_urgent(*each); });
        auto& item = urgent != suspects.end() ? **urgent : *suspects.front();
        return alone(round, item, Step::converge) &&
               (!item.erases() || alone(round, item, Step::erase));
    }
    for (auto* item : suspects) {
        item->finished = true;
    }
    return true;
}

void StoreWorker::report_done(const Round& round, const Chosen& chosen) {
    std::vector<Report> reports;
    Chosen reported;
    for (auto* item : chosen) {
        if (item->finished || !item->settled() || item->interrupted()) {
            continue;
        }
        reports.push_back(make_report(*item, surroundings_.config, random_fraction()));
        reported.push_back(item);
    }
    if (reports.empty()) {
        return;
    }
    reporter_.deliver(round.view, reports, round.lease);
    for (auto* item : reported) {
        item->finished = true;
    }
    failpoint("work.reported");
}

// Given back at once, so that nobody has to wait for the lease; it ends by itself all the same.
void StoreWorker::release(const Round& round) {
    std::vector<std::int64_t> tokens;
    for (const auto& item : round.items) {
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
void StoreWorker::store_down(Round& round, const Unavailable& problem) {
    surroundings_.statistics.unavailable.with({name_}).add();
    log(Level::warning, "store_unavailable",
        {{"store", name_}, {"reason", problem.reason()}, {"message", problem.what()}});
    context_.breaker.failed();
    context_.stamp.signal();
    if (round.items.size() == 1 && round.items.front().planned) {
        auto& item = round.items.front();
        item.failure = Failure{FailureKind::transient, "StoreUnavailable", problem.what()};
        item.applied = false;
        try {
            report_done(round, {&item});
        } catch (...) {
            release(round);
            throw;
        }
    }
    release(round);
}

} // namespace tenancy::sidecar
