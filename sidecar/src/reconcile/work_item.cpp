#include "reconcile/work_item.hpp"

#include "reconcile/backoff.hpp"

namespace tenancy::sidecar {
namespace {

// Superseded is no failure of the tenant; an outage may take longer than any number of attempts.
bool never_parked(const Failure& failure) {
    return failure.kind == FailureKind::superseded || failure.reason == "StoreUnavailable" ||
           failure.reason == "ShardUnavailable" || failure.reason == "TimedOut";
}

bool parks(const Failure& failure, std::int64_t attempts, unsigned most) {
    if (never_parked(failure)) {
        return false;
    }
    return failure.kind != FailureKind::transient || attempts >= static_cast<std::int64_t>(most);
}

} // namespace

std::string_view name_of(Report::Outcome outcome) {
    switch (outcome) {
    case Report::Outcome::converged:
        return "converged";
    case Report::Outcome::retry:
        return "retry";
    case Report::Outcome::parked:
        return "parked";
    }
    return "unknown";
}

Report make_report(const WorkItem& item, const ReconcileConfig& config, double fraction) {
    const auto& desired = item.claim.desired;
    Report report;
    report.tenant = desired.tenant;
    report.token = item.claim.token;
    report.generation = desired.generation;
    report.store_generation = desired.store_generation;
    if (!item.failure) {
        report.present = desired.present;
        report.drifted = item.drifted;
        report.state = desired.state;
        report.reason = "Converged";
        return report;
    }
    report.state = item.shown;
    const auto attempts = item.claim.attempts + 1;
    report.present = desired.present ? desired.reached_before : true;
    report.reason = item.failure->reason;
    report.message = item.failure->message;
    report.outcome = parks(*item.failure, attempts, config.attempts) ? Report::Outcome::parked
                                                                     : Report::Outcome::retry;
    report.retry_after = backoff(config.backoff_first, config.backoff_most, attempts, fraction);
    return report;
}

} // namespace tenancy::sidecar
