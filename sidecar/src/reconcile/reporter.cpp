#include "reconcile/reporter.hpp"

#include "base/log.hpp"
#include "reconcile/backoff.hpp"
#include "reconcile/timer.hpp"
#include "reconcile/work_item.hpp"

namespace tenancy::sidecar {

// What was done is done: while the lease lasts, the report is tried again, so that nobody has to
// wait for the lease to run out.
void Reporter::deliver(const InstanceView& view, const std::vector<Report>& reports,
                       const Lease& lease) {
    for (std::int64_t failures = 1;; ++failures) {
        try {
            send(view, reports);
            return;
        } catch (const SqlError& problem) {
            if (problem.sqlstate() == "TN026" || problem.sqlstate() == "TN027") {
                throw;
            }
            take_refusal(view, reports, lease, problem);
            return;
        } catch (const Unavailable&) {
            if (lease.over() || surroundings_.shutdown.begun()) {
                throw;
            }
            surroundings_.shutdown.wait(
                backoff(Milliseconds(50), Milliseconds(1000), failures, 0.9));
        }
    }
}

// One report that PostgreSQL does not take must not keep the others from being taken.
void Reporter::take_refusal(const InstanceView& view, const std::vector<Report>& reports,
                            const Lease& lease, const SqlError& problem) {
    if (reports.size() > 1) {
        log(Level::warning, "report_refused", {{"store", name_}, {"message", problem.what()}});
        for (const auto& report : reports) {
            deliver(view, {report}, lease);
        }
        return;
    }
    surroundings_.statistics.reports_refused.with({name_}).add();
    log(Level::error, "report_refused",
        {{"store", name_},
         {"tenant", print_uuid(reports.front().tenant)},
         {"message", problem.what()}});
}

void Reporter::send(const InstanceView& view, const std::vector<Report>& reports) {
    auto& statistics = surroundings_.statistics;
    const Timer timer(statistics.report_seconds.with({name_}));
    const auto accepted = registry_.report(view.epoch, name_, reports);
    for (std::size_t i = 0; i < reports.size(); ++i) {
        const auto& report = reports[i];
        if (!accepted.at(i)) {
            statistics.leases_lost.with({name_}).add();
            continue;
        }
        statistics.tenants.with({name_, std::string(name_of(report.outcome))}).add();
        if (report.drifted) {
            statistics.drifted.with({name_}).add();
        }
        if (report.outcome != Report::Outcome::converged) {
            note_failure(report);
        }
    }
}

void Reporter::note_failure(const Report& report) {
    surroundings_.statistics.failures.with({name_, report.reason}).add();
    log(Level::warning, "tenant_failed",
        {{"store", name_},
         {"tenant", print_uuid(report.tenant)},
         {"outcome", name_of(report.outcome)},
         {"reason", report.reason},
         {"message", report.message}});
    if (report.outcome == Report::Outcome::retry) {
        const auto retry = Deadline::in(report.retry_after);
        next_retry_ = next_retry_ ? next_retry_->sooner(retry) : retry;
    }
}

void Reporter::forget_passed_retry() {
    if (next_retry_ && next_retry_->passed()) {
        next_retry_.reset();
    }
}

} // namespace tenancy::sidecar
