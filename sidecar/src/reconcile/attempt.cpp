#include "reconcile/attempt.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/failpoint.hpp"
#include "base/log.hpp"
#include "reconcile/lifecycle.hpp"
#include "reconcile/suspects.hpp"

namespace tenancy::sidecar {
namespace {

// Of a call about tenants: others say nothing about any of them.
template <typename F>
auto ask_about_tenants(F&& call) {
    try {
        return call();
    } catch (const Unavailable& problem) {
        if (may_be_a_tenant(problem)) {
            throw Unanswered(problem);
        }
        throw StoreDown(problem);
    }
}

Chosen unsettled(const Chosen& chosen, bool erasing) {
    Chosen left;
    std::copy_if(chosen.begin(), chosen.end(), std::back_inserter(left),
                 [&](const auto* item) { return !item->settled() && item->erases() == erasing; });
    return left;
}

// Writes of a tenant's marker and no more.
bool is_short(const WorkItem& item) {
    return std::all_of(
        item.plan.actions.begin(), item.plan.actions.end(), [](const Action& action) {
            return action.kind == Action::Kind::publish || action.kind == Action::Kind::claim;
        });
}

// Whoever may write to the tenant's place may have put any word there.
std::string state_shown(const Observed& observed, const Uuid& instance) {
    const auto& marker = observed.marker;
    const bool ours = marker && marker->instance == instance && find_state(marker->state);
    return ours ? marker->state : "";
}

void finish(WorkItem& item, const std::optional<Failure>& failure) {
    item.failure = failure ? failure : item.flaw;
    item.applied = !item.failure;
}

} // namespace

bool Attempt::verify(const Round& round) {
    std::optional<Failure> failure;
    try {
        failure = stamp_check_.verify(round.view, round.lease.end());
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
    context_.stamp.signal();
    return false;
}

bool Attempt::converge(Round& round, const Chosen& chosen, Milliseconds patience) {
    if (!restrict_first(round, chosen, round.lease.end().sooner(Deadline::in(patience)))) {
        return false;
    }
    const auto soon = round.lease.end().sooner(Deadline::in(patience));
    observe(round, chosen, soon);
    failpoint("work.observed");
    if (!vouch(round)) {
        return false;
    }
    const auto left = unsettled(chosen, false);
    const bool all_short =
        std::all_of(left.begin(), left.end(), [](const auto* item) { return is_short(*item); });
    const auto alive = [&] { return may_go_on(round); };
    apply(round, left, alive,
          all_short ? round.lease.end().sooner(Deadline::in(patience)) : round.lease.end());
    return true;
}

// Before their collections are looked at: whoever may lock one, or put a view in its place, must
// not keep a restriction back. Failures come up again when everything is looked at.
bool Attempt::restrict_first(Round& round, const Chosen& chosen, Deadline deadline) {
    static const auto none = std::make_shared<const Templates>();
    Chosen whole;
    std::copy_if(chosen.begin(), chosen.end(), std::back_inserter(whole), [](const auto* item) {
        const auto& desired = item->claim.desired;
        return desired.present && restricts(desired.state) && desired.templates &&
               !desired.templates->empty();
    });
    if (whole.empty()) {
        return true;
    }
    std::vector<WorkItem> markers(whole.size());
    Chosen chosen_markers;
    for (std::size_t i = 0; i < whole.size(); ++i) {
        markers[i].claim = whole[i]->claim;
        markers[i].claim.desired.templates = none;
        markers[i].begun = whole[i]->begun;
        markers[i].drifted = whole[i]->drifted;
        chosen_markers.push_back(&markers[i]);
    }
    observe(round, chosen_markers, deadline);
    if (!vouch(round)) {
        return false;
    }
    apply(round, unsettled(chosen_markers, false), [&] { return may_go_on(round); }, deadline);
    for (std::size_t i = 0; i < whole.size(); ++i) {
        whole[i]->shown = markers[i].shown;
        whole[i]->drifted = markers[i].drifted;
        whole[i]->begun = markers[i].begun;
    }
    return true;
}

bool Attempt::erase(Round& round, const Chosen& chosen) {
    if (!round.erasing_until) {
        round.erasing_until = Deadline::in(surroundings_.config.lease * longest_erasing);
    }
    // Another tenant over which the store hung may have cost the connection since.
    if (!round.over() && !stamp_check_.same_connection() && !verify(round)) {
        return false;
    }
    apply(round, unsettled(chosen, true), [&] { return keep_lease(round); }, *round.erasing_until);
    return true;
}

bool Attempt::vouch(const Round& round) {
    if (stamp_check_.same_connection()) {
        return true;
    }
    const auto looked_on = store_.connection_number();
    if (!verify(round)) {
        return false;
    }
    if (store_.connection_number() != looked_on) {
        throw StoreDown(Unavailable("Unreachable", "the connection was lost again"));
    }
    return true;
}

bool Attempt::answers() {
    const auto& config = context_.config;
    const auto limit = config.connect_timeout + patience_with_one(config.operation_timeout, 0);
    try {
        (void)store_.read_stamp(Deadline::in(limit));
        return true;
    } catch (const Unavailable&) {
        return false;
    }
}

void Attempt::observe(const Round& round, const Chosen& chosen, Deadline deadline) {
    std::vector<Desired> desired;
    desired.reserve(chosen.size());
    for (const auto* item : chosen) {
        desired.push_back(item->claim.desired);
    }
    auto observed = ask_about_tenants([&] { return store_.observe(desired, deadline); });
    for (std::size_t i = 0; i < chosen.size(); ++i) {
        auto& item = *chosen[i];
        if (observed.at(i).ok()) {
            look_behind(round, item.claim.desired, observed.at(i).value());
        }
        plan(round, item, observed.at(i));
    }
}

// A store that is ahead of the claim: another daemon was faster, unless the database has not come
// as far by now. Then nobody of ours wrote that.
void Attempt::look_behind(const Round& round, Desired& desired, const Observed& observed) {
    if (!observed.marker || observed.marker->instance != round.view.instance ||
        observed.marker->generation <= desired.generation) {
        return;
    }
    const auto shown = observed.marker->generation;
    const auto now = desired_now(registry_, *round.definition, desired.tenant);
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

void Attempt::plan(const Round& round, WorkItem& item, const Result<Observed>& found) {
    if (!found.ok()) {
        item.failure = found.failure();
        return;
    }
    if (item.claim.desired.present) {
        item.shown = state_shown(found.value(), round.view.instance);
    }
    auto decided = decide(item.claim.desired, found.value(), round.view.instance,
                          round.definition->unknown_objects);
    if (!decided.ok()) {
        item.failure = decided.failure();
        return;
    }
    item.plan = std::move(decided.value());
    item.planned = true;
    item.drifted = item.begun ? item.drifted : item.plan.drifted;
    item.begun = item.begun || !item.plan.actions.empty();
    if (item.plan.flaw) {
        item.flaw = item.plan.flaw;
        item.claim.desired.settings = JsonValue();
    }
    if (item.plan.actions.empty()) {
        finish(item, std::nullopt);
    }
}

bool Attempt::may_go_on(const Round& round) const {
    return surroundings_.instance.still(round.view) && context_.gate().open &&
           !round.lease.over() && !surroundings_.shutdown.overdue();
}

bool Attempt::keep_lease(Round& round) {
    if (!may_go_on(round)) {
        return false;
    }
    if (!round.lease.wants_extension()) {
        return true;
    }
    std::vector<std::int64_t> tokens;
    for (const auto& item : round.items) {
        if (!item.finished && !item.settled()) {
            tokens.push_back(item.claim.token);
        }
    }
    const Lease extended(surroundings_.config.lease);
    try {
        if (registry_.extend(name_, tokens, surroundings_.config.lease).size() != tokens.size()) {
            return false;
        }
        round.lease = extended;
    } catch (const std::exception&) {
        return !round.lease.over(); // PostgreSQL is away: what there is of it may still be used
    }
    return true;
}

void Attempt::apply(const Round& round, const Chosen& chosen, const std::function<bool()>& alive,
                    Deadline deadline) {
    if (chosen.empty()) {
        return;
    }
    if (!alive()) {
        for (auto* item : chosen) {
            item->failure = lease_lost();
        }
        return;
    }
    std::vector<Work> work;
    std::vector<std::string> shown;
    for (auto* item : chosen) {
        work.push_back({&item->claim.desired, item->plan.actions});
        // Not known any more, until it is told what became of the steps.
        shown.push_back(std::exchange(item->shown, ""));
    }
    const auto outcomes =
        ask_about_tenants([&] { return store_.apply(work, round.view.instance, alive, deadline); });
    failpoint("work.applied");
    for (std::size_t i = 0; i < chosen.size(); ++i) {
        settle(*chosen[i], outcomes.at(i), std::move(shown[i]));
    }
}

void Attempt::settle(WorkItem& item, const Outcome& outcome, std::string shown) {
    const auto& actions = item.plan.actions;
    bool published = outcome.published;
    for (std::size_t done = 0; done < outcome.actions_done && done < actions.size(); ++done) {
        const std::string action(name_of(actions[done].kind));
        surroundings_.statistics.actions.with({name_, action}).add();
        published = published || actions[done].kind == Action::Kind::publish;
    }
    // One that failed may have been carried out all the same.
    const bool in_doubt = outcome.actions_done < actions.size() &&
                          actions[outcome.actions_done].kind == Action::Kind::publish;
    if (published) {
        item.shown = item.claim.desired.state;
    } else if (!in_doubt) {
        item.shown = std::move(shown);
    }
    finish(item, outcome.failure);
}

} // namespace tenancy::sidecar
