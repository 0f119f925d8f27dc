// What the reconciler counts and measures, for /metrics. Written by many threads, read by one more.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace tenancy::sidecar {

// Only ever grows.
class Counter {
public:
    void add(std::uint64_t by = 1) { value_.fetch_add(by, std::memory_order_relaxed); }
    [[nodiscard]] std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

private:
    std::atomic<std::uint64_t> value_{0};
};

class Gauge {
public:
    void set(double value) { value_.store(value, std::memory_order_relaxed); }
    [[nodiscard]] double value() const { return value_.load(std::memory_order_relaxed); }

private:
    std::atomic<double> value_{0};
};

// Seconds, in buckets whose upper bounds are `bounds`; the last bucket has none.
class Histogram {
public:
    static constexpr std::array<double, 14> bounds = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                                      0.25,  0.5,    1,     2.5,  5,     10,   60};

    void observe(double seconds);
    // Of bucket i alone, not cumulative; i up to bounds.size().
    [[nodiscard]] std::uint64_t bucket(std::size_t i) const { return buckets_.at(i).value(); }
    [[nodiscard]] std::uint64_t count() const;
    [[nodiscard]] double sum() const;

private:
    std::array<Counter, bounds.size() + 1> buckets_;
    Counter microseconds_;
};

// The metrics of one name, one for each set of label values.
template <typename Metric>
class Family {
public:
    Family(std::string name, std::string help, std::vector<std::string> labels)
        : name_(std::move(name)), help_(std::move(help)), labels_(std::move(labels)) {}

    // The metric with these label values, in the order of labels(); made when it is new. The
    // reference stays valid as long as the family.
    Metric& with(const std::vector<std::string>& values) {
        const std::lock_guard lock(mutex_);
        auto& metric = metrics_[values];
        if (!metric) {
            metric = std::make_unique<Metric>();
        }
        return *metric;
    }

    // Calls f(label values, metric) for each.
    template <typename F>
    void each(F&& f) const {
        const std::lock_guard lock(mutex_);
        for (const auto& [values, metric] : metrics_) {
            f(values, static_cast<const Metric&>(*metric));
        }
    }

    [[nodiscard]] const std::string& name() const { return name_; }
    [[nodiscard]] const std::string& help() const { return help_; }
    [[nodiscard]] const std::vector<std::string>& labels() const { return labels_; }

private:
    std::string name_;
    std::string help_;
    std::vector<std::string> labels_;
    mutable std::mutex mutex_;
    std::map<std::vector<std::string>, std::unique_ptr<Metric>> metrics_;
};

// Every metric of the reconciler. visit() hands each family to an overloaded callable.
struct Statistics {
    Family<Counter> tenants{"tenancyd_tenants_reconciled_total",
                            "Tenants worked on, by what was reported of them.",
                            {"store", "outcome"}}; // converged, retry, parked, released
    Family<Counter> actions{
        "tenancyd_actions_total", "Steps taken in stores.", {"store", "action"}};
    Family<Counter> failures{
        "tenancyd_failures_total", "Failures of single tenants.", {"store", "reason"}};
    Family<Counter> drifted{
        "tenancyd_drift_repaired_total", "Tenants repaired without a change.", {"store"}};
    Family<Counter> unavailable{
        "tenancyd_store_unavailable_total", "Calls that the whole store failed.", {"store"}};
    Family<Counter> leases_lost{
        "tenancyd_leases_lost_total", "Claims whose lease ran out too early.", {"store"}};
    Family<Counter> reports_refused{"tenancyd_reports_refused_total",
                                    "Tenants whose report PostgreSQL did not take.",
                                    {"store"}};
    Family<Histogram> claim_seconds{
        "tenancyd_claim_seconds", "Time to claim a batch in PostgreSQL.", {"store"}};
    Family<Histogram> apply_seconds{
        "tenancyd_apply_seconds", "Time to observe and change a batch in the store.", {"store"}};
    Family<Histogram> report_seconds{
        "tenancyd_report_seconds", "Time to report a batch to PostgreSQL.", {"store"}};
    Family<Gauge> breaker{
        "tenancyd_breaker_state", "0 closed, 1 half-open, 2 open: the store is down.", {"store"}};
    Family<Gauge> store_fenced{
        "tenancyd_store_fenced", "1 while the store is only observed.", {"store"}};
    Family<Gauge> unknown_objects{
        "tenancyd_unknown_objects", "Objects of no tenant in the last scan.", {"store"}};
    Family<Histogram> scan_seconds{"tenancyd_scan_seconds", "Time of a full scan.", {"store"}};
    Family<Counter> scanned{"tenancyd_scanned_tenants_total", "Tenants compared.", {"store"}};
    Family<Counter> scan_differing{
        "tenancyd_scan_differing_total", "Tenants that a scan found to differ.", {"store"}};
    Family<Gauge> due{"tenancyd_due_tenants",
                      "Tenants that wait for the store, are worked on or tried again; NaN while "
                      "the daemon only observes.",
                      {"store"}};
    Family<Gauge> lag{"tenancyd_lag_seconds",
                      "Age of the oldest change that the store does not show yet; NaN while the "
                      "daemon only observes.",
                      {"store"}};
    Family<Gauge> fenced{"tenancyd_fenced", "1 while the daemon only observes all stores.", {}};
    Family<Gauge> postgres_connected{
        "tenancyd_postgres_connected", "1 while PostgreSQL answers.", {}};
    Family<Counter> notifications{
        "tenancyd_notifications_total", "Wake-ups received from PostgreSQL.", {}};

    template <typename Visitor>
    void visit(Visitor&& visitor) const {
        visitor(tenants), visitor(actions), visitor(failures), visitor(drifted);
        visitor(unavailable), visitor(leases_lost), visitor(reports_refused);
        visitor(claim_seconds), visitor(apply_seconds), visitor(report_seconds);
        visitor(breaker), visitor(store_fenced);
        visitor(due), visitor(lag);
        visitor(unknown_objects), visitor(scan_seconds), visitor(scanned), visitor(scan_differing);
        visitor(fenced), visitor(postgres_connected), visitor(notifications);
    }
};

} // namespace tenancy::sidecar
