#include "reconcile/scanner.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>

#include "base/failpoint.hpp"
#include "base/log.hpp"
#include "postgres/connection.hpp"
#include "postgres/registry_json.hpp"
#include "reconcile/backoff.hpp"
#include "reconcile/decide.hpp"
#include "reconcile/suspects.hpp"
#include "reconcile/timer.hpp"
#include "reconcile/unknown.hpp"

namespace tenancy::sidecar {
namespace {

constexpr unsigned page_size = 500;
constexpr Milliseconds longest_wait{60000};
constexpr Milliseconds list_limit{3600000};

} // namespace

std::size_t UuidHash::operator()(const Uuid& uuid) const noexcept {
    std::size_t hash = 0;
    std::memcpy(&hash, uuid.bytes.data() + 8, sizeof hash); // the random half
    return hash;
}

Scanner::Scanner(Surroundings& surroundings, StoreContext& context,
                 std::unique_ptr<Registry> registry, std::unique_ptr<Store> store)
    : surroundings_(surroundings), context_(context), registry_(std::move(registry)),
      store_(std::move(store)), stamp_check_(context.config.name, *store_, *registry_),
      name_(context.config.name) {}

Deadline Scanner::limit() const {
    return Deadline::in(context_.config.connect_timeout + context_.config.operation_timeout);
}

void Scanner::run(Beat& beat) {
    const auto& config = surroundings_.config;
    auto next = Deadline::in(Milliseconds::zero());
    std::int64_t failures = 0;
    while (!surroundings_.shutdown.begun()) {
        promise(beat, longest_wait);
        // Signals that come while the store is not ready are kept: the scan is still to be done.
        if (next.passed()) {
            failures = run_once(beat) ? 0 : failures + 1;
            next = Deadline::in(failures == 0 ? jittered(config.scan, random_fraction())
                                              : backoff(Milliseconds(1000), config.tick, failures,
                                                        random_fraction()));
        }
        if (context_.scan.wait(std::min(next.left(), longest_wait))) {
            next = Deadline::in(Milliseconds::zero());
        }
    }
}

bool Scanner::run_once(Beat& beat) {
    if (!context_.gate().open || context_.breaker.state() != Breaker::State::closed) {
        return false;
    }
    try {
        return scan(beat);
    } catch (const std::exception& problem) {
        log(Level::warning, "scan_failed", {{"store", name_}, {"message", problem.what()}});
    }
    return false;
}

bool Scanner::scan(Beat& beat) {
    Scan scan{beat, surroundings_.instance.view(), context_.definition(), {}, {}};
    if (!scan.view.may_write || !scan.definition) {
        return false;
    }
    scan.id = print_uuid(scan.view.instance) + "/" + std::to_string(scan.view.tick) + "/" +
              std::to_string(++scans_);
    const Timer timer(surroundings_.statistics.scan_seconds.with({name_}));
    registry_->serve(scan.view.instance);
    store_->define(*scan.definition);
    if (!verified(scan) || !compare_tenants(scan) || !look_for_unknown(scan) ||
        (!stamp_check_.same_connection() && !verified(scan))) {
        return false;
    }
    registry_->report_unknown(scan.view.epoch, name_, scan.id, {}, true, scan.compared,
                              scan.differing);
    failpoint("scan.finished");
    surroundings_.statistics.unknown_objects.with({name_}).set(static_cast<double>(scan.unknown));
    log(Level::info, "scan_finished",
        {{"store", name_},
         {"tenants", scan.compared},
         {"differing", scan.differing},
         {"unknown", scan.unknown}});
    return true;
}

void Scanner::promise(Beat& beat, Milliseconds waiting) const {
    beat.within(waiting + surroundings_.longest_call * 6);
}

// Not by a definition that is no more: its policy may have been to prune.
bool Scanner::may_go_on(const Scan& scan) {
    return !surroundings_.shutdown.begun() && surroundings_.instance.still(scan.view) &&
           context_.definition() == scan.definition && context_.gate().open;
}

// Of the stamp, before something is read that will be acted upon.
bool Scanner::verified(const Scan& scan) {
    const auto failure = stamp_check_.verify(scan.view, limit());
    if (failure) {
        context_.stamp.signal();
    }
    return !failure;
}

bool Scanner::compare_tenants(Scan& scan) {
    std::optional<Uuid> after;
    while (true) {
        promise(scan.beat);
        if (!may_go_on(scan)) {
            return false;
        }
        const auto begin = std::chrono::steady_clock::now();
        const auto page = registry_->desired_after(*scan.definition, after, page_size);
        if (page.empty()) {
            return true;
        }
        after = page.back().tenant;
        if (!compare_page(scan, page)) {
            return false;
        }
        failpoint("scan.page");
        pace(scan, page.size(),
             std::chrono::duration_cast<Milliseconds>(std::chrono::steady_clock::now() - begin));
    }
}

// Absent tenants are not looked for one by one: whatever is left of them turns up in the list.
bool Scanner::compare_page(Scan& scan, const std::vector<Desired>& page) {
    std::vector<Desired> present;
    for (const auto& desired : page) {
        scan.tenants.emplace(desired.tenant, desired.present);
        if (desired.present) {
            present.push_back(desired);
        }
    }
    scan.compared += static_cast<std::int64_t>(page.size());
    surroundings_.statistics.scanned.with({name_}).add(page.size());
    if (present.empty()) {
        return true;
    }
    const auto observed = look(scan, present);
    if (observed.size() < present.size() || (!stamp_check_.same_connection() && !verified(scan))) {
        return false;
    }
    std::vector<Uuid> differing;
    std::vector<UnknownObject> extra;
    for (std::size_t i = 0; i < present.size(); ++i) {
        if (observed.at(i).ok()) {
            if (differs(scan, present[i], observed[i].value())) {
                differing.push_back(present[i].tenant);
            } else {
                context_.suspects.remove(present[i].tenant); // another daemon has settled it
            }
            add_extra_collections(*scan.definition, present[i], observed[i].value(), extra);
        } else if (observed.at(i).failure().reason != "SlotMoving") {
            differing.push_back(present[i].tenant); // a worker tells what it comes to
        }
    }
    repair(scan, differing);
    scan.unknown += static_cast<std::int64_t>(extra.size());
    report(scan, extra);
    return true;
}

// One over which the store does not answer in time, though it is there, is no reason to end the
// scan.
std::vector<Result<Observed>> Scanner::look(const Scan& scan, const std::vector<Desired>& tenants) {
    const auto& suspects = context_.suspects;
    const bool any = std::any_of(tenants.begin(), tenants.end(), [&](const Desired& desired) {
        return suspects.contains(desired.tenant);
    });
    try {
        if (!any) {
            return store_->observe(tenants, limit());
        }
    } catch (const Unavailable& problem) {
        if (!may_be_a_tenant(problem)) {
            throw;
        }
        (void)store_->read_stamp(limit());
    }
    std::vector<Result<Observed>> observed;
    for (const auto& desired : tenants) {
        promise(scan.beat);
        if (!may_go_on(scan)) {
            break; // a page of those over which the store hangs takes minutes
        }
        observed.push_back(look_at_one(desired));
    }
    return observed;
}

Result<Observed> Scanner::look_at_one(const Desired& desired) {
    const auto patience = patience_with_one(context_.config.operation_timeout, 0);
    try {
        return std::move(store_->observe(std::span(&desired, 1), Deadline::in(patience)).at(0));
    } catch (const Unavailable& problem) {
        if (!may_be_a_tenant(problem)) {
            throw;
        }
    }
    (void)store_->read_stamp(limit());
    context_.suspects.add(desired.tenant);
    return Failure{FailureKind::transient, "TimedOut", "no answer in time"};
}

// Failures too: the worker says why, and whether a newer generation is to be outrun.
bool Scanner::differs(const Scan& scan, const Desired& desired, const Observed& observed) {
    const auto decided =
        decide(desired, observed, scan.view.instance, scan.definition->unknown_objects);
    return !decided.ok() || decided.value().flaw || !decided.value().actions.empty();
}

void Scanner::repair(Scan& scan, const std::vector<Uuid>& tenants) {
    if (tenants.empty()) {
        return;
    }
    registry_->request_repair(scan.view.epoch, name_, tenants);
    scan.differing += static_cast<std::int64_t>(tenants.size());
    surroundings_.statistics.scan_differing.with({name_}).add(tenants.size());
    context_.signal_work();
}

bool Scanner::look_for_unknown(Scan& scan) {
    bool go_on = true;
    store_->list(
        [&](const std::vector<FoundObject>& objects) {
            promise(scan.beat);
            go_on = may_go_on(scan);
            if (go_on) {
                sort_out(scan, objects);
            }
            return go_on;
        },
        Deadline::in(list_limit));
    return go_on;
}

void Scanner::sort_out(Scan& scan, const std::vector<FoundObject>& objects) {
    const auto& policy = scan.definition->unknown_objects;
    std::vector<Uuid> leftovers;
    std::vector<UnknownObject> unknown;
    for (const auto& object : objects) {
        if (!object.tenant) {
            unknown.push_back(judge_unknown(object, scan.view.instance, policy));
            continue;
        }
        const Uuid& tenant = *object.tenant;
        const auto known = scan.tenants.find(tenant);
        if (known == scan.tenants.end()) {
            if (!desired_now(*registry_, *scan.definition,
                             tenant)) { // made after its page was read
                unknown.push_back(judge_unknown(object, scan.view.instance, policy));
            }
        } else if (!known->second) {
            leftovers.push_back(tenant);
        }
    }
    repair(scan, leftovers);
    resolve(scan, unknown);
}

// Said before it is done: whatever is touched is in the audit trail, even if this is the last thing
// that the daemon does.
void Scanner::resolve(Scan& scan, std::vector<UnknownObject>& unknown) {
    report(scan, unknown);
    std::vector<UnknownObject> kept;
    for (auto& one : unknown) {
        if (one.resolution != "reported" && !touch(scan, one)) {
            one.resolution = "reported";
            kept.push_back(one);
        }
        scan.unknown += one.resolution == "reported" ? 1 : 0;
    }
    report(scan, kept);
}

void Scanner::report(const Scan& scan, std::vector<UnknownObject>& unknown) {
    if (unknown.empty() || note(scan, unknown)) {
        return;
    }
    for (auto& one : unknown) {
        promise(scan.beat);
        if (!note(scan, {one})) {
            report_refused(scan, one);
        }
    }
}

// False when PostgreSQL refuses what it was told. Not being the instance any more is no such
// refusal.
bool Scanner::note(const Scan& scan, const std::vector<UnknownObject>& unknown) {
    try {
        registry_->report_unknown(scan.view.epoch, name_, scan.id, unknown, false, 0, 0);
        return true;
    } catch (const SqlError& problem) {
        const auto& sqlstate = problem.sqlstate();
        if (!sqlstate.starts_with("22") && !sqlstate.starts_with("54")) { // data, limits
            throw;
        }
        log(Level::warning, "report_refused", {{"store", name_}, {"message", problem.what()}});
        return false;
    }
}

// One that cannot be noted as it is must not end the scan: a stand-in says that there is something.
// It is not touched, for that could not be said before.
void Scanner::report_refused(const Scan& scan, UnknownObject& unknown) {
    const auto name = bounded_name(unknown.object.name);
    unknown.resolution = "reported";
    const FoundObject stand_in{"refused:" + sha256_hex(name), {}, {}, {}};
    const bool noted = note(scan, {{stand_in, "Refused", "reported"}});
    log(Level::error, "unknown_object_refused",
        {{"store", name_}, {"object", name}, {"noted_as", noted ? stand_in.name : ""}});
}

bool Scanner::touch(const Scan& scan, const UnknownObject& unknown) {
    promise(scan.beat);
    if (!may_go_on(scan) || !verified(scan)) {
        return false;
    }
    const bool prune = unknown.resolution == "pruned";
    failpoint(prune ? "scan.pruning" : "scan.adopting");
    const auto failure = prune ? store_->prune(unknown.object, limit())
                               : store_->adopt(unknown.object, scan.view.instance, limit());
    if (failure) {
        log(Level::warning, "unknown_object_kept",
            {{"store", name_},
             {"object", bounded_name(unknown.object.name)},
             {"message", failure->message}});
    }
    return !failure;
}

void Scanner::pace(const Scan& scan, std::size_t looked_at, Milliseconds spent) {
    const auto rate = context_.config.scan_rate;
    if (rate == 0) {
        return;
    }
    const Milliseconds needed(looked_at * 1000 / rate);
    if (needed > spent) {
        promise(scan.beat, needed - spent);
        surroundings_.shutdown.wait(needed - spent);
    }
}

} // namespace tenancy::sidecar
