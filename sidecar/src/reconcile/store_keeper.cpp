#include "reconcile/store_keeper.hpp"

#include <algorithm>
#include <utility>

#include "base/failpoint.hpp"
#include "base/log.hpp"
#include "postgres/connection.hpp"
#include "reconcile/stamp_check.hpp"

namespace tenancy::sidecar {
namespace {

// How often the state of a store is reported although nothing changed.
constexpr Milliseconds report_period{60000};

// Where a store has the instance fenced the database is still the one that the daemon belongs to.
bool may_report(const InstanceView& view) {
    return view.may_write || view.reason == "StampMismatch";
}

// Such a server is not away, and stays closed until somebody has looked.
bool has_useless_stamp(const std::string& reason) {
    return reason == "StampUnreadable" || reason == "StampContended";
}

} // namespace

StoreKeeper::StoreKeeper(Surroundings& surroundings, StoreContext& context,
                         std::unique_ptr<Registry> registry, std::unique_ptr<Store> store)
    : surroundings_(surroundings), context_(context), registry_(std::move(registry)),
      store_(std::move(store)), name_(context.config.name) {}

Deadline StoreKeeper::limit() const {
    return Deadline::in(context_.config.connect_timeout + context_.config.operation_timeout);
}

void StoreKeeper::run(Beat& beat) {
    const auto& tick = surroundings_.config.tick;
    while (!surroundings_.shutdown.begun()) {
        beat.within(tick + surroundings_.longest_call * 9);
        run_once();
        const bool down = context_.breaker.state() != Breaker::State::closed;
        const auto wait = down ? context_.breaker.wait_left() + Milliseconds(1) : tick;
        context_.stamp.wait(std::min(wait, tick));
    }
}

void StoreKeeper::run_once() {
    if (context_.breaker.state() != Breaker::State::closed && !context_.breaker.begin_probe()) {
        surroundings_.statistics.breaker.with({name_}).set(2);
        return;
    }
    try {
        look();
    } catch (const Unavailable& problem) {
        down(problem);
    } catch (const std::exception& problem) {
        context_.breaker.succeeded(); // a probe has to come to an end
        show({false, false, "NotVerified", problem.what()}, true);
    }
}

void StoreKeeper::look() {
    if (!context_.definitions_read()) {
        context_.breaker.succeeded();
        return; // the instance's keeper asks for them, and signals
    }
    auto definition = context_.definition();
    if (!definition) {
        show({false, false, "NotAttached",
              "this database does not define the store: SELECT tenancy.define_store('" + name_ +
                  "', '" + context_.config.kind + "'), or take it out of the configuration"},
             true);
        context_.breaker.succeeded();
        return;
    }
    const bool changed = definition != definition_;
    if (changed) {
        store_->define(*definition);
        definition_ = std::move(definition);
        stamped_ = definition_->stamped;
        last_seen_ = stamped_ ? last_seen_ : 0;
    }
    const auto view = surroundings_.instance.view();
    const bool was_down = context_.breaker.state() != Breaker::State::closed;
    look_at_stamp(view, changed);
    context_.breaker.succeeded();
    surroundings_.statistics.breaker.with({name_}).set(0);
    if (was_down) {
        log(Level::info, "store_back", {{"store", name_}});
        context_.signal_work();
    }
    if ((context_.gate().open && has_new_runs()) || was_down) {
        context_.scan.signal();
    }
}

void StoreKeeper::look_at_stamp(const InstanceView& view, bool definition_changed) {
    if (!view.may_write) {
        const auto found = store_->read_stamp(limit());
        look_for_contest(view, found);
        note_stamp(found ? StampSeen::present : StampSeen::none);
        show({false, context_.contested(), view.reason, view.message}, true);
        return;
    }
    const auto verdict = settle_stamp(view);
    context_.set_contested(verdict.contested);
    if (verdict.contested) {
        surroundings_.instance.fence(verdict.reason, "store " + name_ + ": " + verdict.message);
        surroundings_.look_at_instance.signal();
    }
    if (verdict.step == StampVerdict::Step::refuse) {
        show({false, true, verdict.reason, verdict.message}, true);
        return;
    }
    if (definition_changed || !capabilities_ || store_->connection_number() != probed_connection_) {
        probe_unless_known(definition_changed);
    }
    if (capabilities_ && !capabilities_->missing.empty()) {
        std::string missing;
        for (const auto& capability : capabilities_->missing) {
            missing += (missing.empty() ? "" : ", ") + capability;
        }
        show({false, false, "CapabilityMissing", "the server lacks: " + missing}, true);
        return;
    }
    show({true, false, "Ready", ""}, true);
    if (verdict.went_back) {
        log(Level::warning, "store_went_back", {{"store", name_}});
        context_.scan.signal();
    }
}

// The stamp lies on one server of a cluster, and is not older than a tick: neither tells what else
// was lost.
bool StoreKeeper::has_new_runs() {
    try {
        const auto before = std::exchange(runs_, store_->runs(limit()));
        const bool news = !before.empty() && runs_ != before;
        if (news) {
            log(Level::info, "store_restarted", {{"store", name_}});
        }
        return news;
    } catch (const Unavailable&) {
        return false; // one that does not answer is asked with the next tick
    }
}

// While nothing is written. What was contested stays so until the stamp is overtaken, by an
// adoption or by another daemon of this database.
void StoreKeeper::look_for_contest(const InstanceView& view, const std::optional<Stamp>& found) {
    if (!found || found->instance != view.instance || found->epoch != view.epoch) {
        context_.set_contested(false);
        return;
    }
    try {
        const auto identity = database(view);
        if (identity.in_recovery || identity.id != view.instance || identity.epoch != view.epoch ||
            identity.live() != view.database) {
            return; // this session is with another database than the instance's keeper
        }
        context_.set_contested(is_ahead(found, view.instance, view.epoch, identity.tick) ||
                               (context_.contested() && found->tick == identity.tick));
    } catch (const SqlError& problem) { // then it stays as it was seen
        log(Level::warning, "tick_unknown", {{"store", name_}, {"message", problem.what()}});
    }
}

StampVerdict StoreKeeper::judge(const InstanceView& view, const std::optional<Stamp>& found) {
    StampKnowledge known;
    known.instance = view.instance;
    known.store = name_;
    known.epoch = view.epoch;
    known.tick = view.tick;
    known.tick_written = written_tick_ == view.tick;
    known.database_tick = view.tick;
    if (found && found->tick > view.tick) {
        const auto identity = database(view);
        if (identity.in_recovery) { // its tick may be an old one
            throw std::runtime_error("the session with PostgreSQL came to a standby");
        }
        known.database_tick = identity.tick;
    }
    known.last_seen = last_seen_;
    known.stamped_before = stamped_;
    known.on_missing_stamp = definition_->on_missing_stamp;
    return judge_stamp(found, known);
}

// PostgreSQL that is away is no failure of the store.
InstanceIdentity StoreKeeper::database(const InstanceView& view) {
    try {
        // A copy, which may not begin such a session, has to know its own.
        registry_->serve(view.may_write ? std::optional(view.instance) : std::nullopt);
        return registry_->identity();
    } catch (const Unavailable& problem) {
        throw std::runtime_error(problem.what());
    }
}

// Reads, judges and writes; once more when somebody else, another daemon as a rule, was quicker.
StampVerdict StoreKeeper::settle_stamp(const InstanceView& view) {
    for (int tries = 0;; ++tries) {
        const auto found = store_->read_stamp(limit());
        note_stamp(found ? StampSeen::present : StampSeen::none);
        auto verdict = judge(view, found);
        if (verdict.step == StampVerdict::Step::stamp_first) {
            const auto go_on = [this] { return !surroundings_.shutdown.begun(); };
            if (const auto foreign = foreign_object(*store_, view.instance, go_on)) {
                return {StampVerdict::Step::refuse, false, false, "ForeignObjects", *foreign};
            }
        }
        if (verdict.step == StampVerdict::Step::accept) {
            last_seen_ = found ? found->tick : last_seen_;
            return verdict;
        }
        if (verdict.step == StampVerdict::Step::refuse || write_stamp(view, found)) {
            return verdict;
        }
        if (tries == 5) {
            throw Unavailable("StampContended", "the stamp changes all the time");
        }
    }
}

bool StoreKeeper::write_stamp(const InstanceView& view, const std::optional<Stamp>& found) {
    failpoint("fence.stamping");
    written_tick_ = view.tick;
    if (!store_->write_stamp({view.instance, name_, view.epoch, view.tick}, found, limit())) {
        written_tick_ = 0;
        return false;
    }
    failpoint("fence.stamped");
    last_seen_ = view.tick;
    return true;
}

// Of several servers one may be away, which closes nothing: the store was found fit before, and is
// probed again with the next tick.
void StoreKeeper::probe_unless_known(bool definition_changed) {
    try {
        probe();
    } catch (const Unavailable&) {
        if (definition_changed || !capabilities_) {
            throw;
        }
    }
}

void StoreKeeper::probe() {
    capabilities_ = store_->probe(limit());
    probed_connection_ = store_->connection_number(); // probing may have opened a new one
    probed_anew_ = true;
    for (const auto& warning : capabilities_->warnings) {
        log(Level::warning, "store_warning", {{"store", name_}, {"message", warning}});
    }
}

// Who binds a new instance, or takes a tick, waits for this.
void StoreKeeper::note_stamp(StampSeen seen) {
    const bool news = context_.stamp_seen() != seen;
    context_.set_stamp_seen(seen);
    if (news) {
        surroundings_.look_at_instance.signal();
    }
}

void StoreKeeper::down(const Unavailable& problem) {
    surroundings_.statistics.unavailable.with({name_}).add();
    surroundings_.statistics.breaker.with({name_}).set(2);
    context_.breaker.failed();
    note_stamp(StampSeen::unreachable);
    const bool answers = has_useless_stamp(problem.reason());
    show({false, answers, problem.reason(), problem.what()}, answers);
}

void StoreKeeper::show(const Gate& gate, bool reachable) {
    const auto view = surroundings_.instance.view();
    const bool news = gate.reason != reported_reason_ || probed_anew_ || !report_at_ ||
                      report_at_->passed() || (gate.open && !stamped_);
    const bool told = may_report(view) && definition_ && gate.reason != "NotAttached" && news &&
                      report(view, gate, reachable);
    if (gate.open && !stamped_ && !told) {
        return; // before PostgreSQL knows that the store is stamped, nothing else is written to it
    }
    stamped_ = stamped_ || gate.open;
    const bool changed = context_.set_gate(gate);
    surroundings_.statistics.store_fenced.with({name_}).set(gate.fenced ? 1 : 0);
    if (!changed) {
        return;
    }
    log(gate.open ? Level::info : Level::warning, gate.open ? "store_ready" : "store_not_ready",
        {{"store", name_}, {"reason", gate.reason}, {"message", gate.message}});
    if (gate.open) {
        context_.signal_work();
        context_.scan.signal();
    }
}

bool StoreKeeper::report(const InstanceView& view, const Gate& gate, bool reachable) {
    StoreHealth health;
    health.reachable = reachable;
    health.fenced = gate.fenced;
    health.reason = gate.reason;
    health.message = gate.message;
    health.stamped = gate.open;
    if (probed_anew_) {
        health.capabilities = capabilities_;
    }
    try {
        registry_->serve(view.instance);
        registry_->report_store(view.epoch, name_, health);
        probed_anew_ = false;
        reported_reason_ = gate.reason;
        report_at_ = Deadline::in(report_period);
        return true;
    } catch (const std::exception& problem) {
        log(Level::warning, "report_store_failed", {{"store", name_}, {"message", problem.what()}});
        return false;
    }
}

} // namespace tenancy::sidecar
