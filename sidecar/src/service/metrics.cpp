#include "service/metrics.hpp"

#include <limits>

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

namespace tenancy::sidecar {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

MetricType type_of(const Counter&) {
    return MetricType::Counter;
}
MetricType type_of(const Gauge&) {
    return MetricType::Gauge;
}
MetricType type_of(const Histogram&) {
    return MetricType::Histogram;
}

void fill(ClientMetric& metric, const Counter& counter) {
    metric.counter.value = static_cast<double>(counter.value());
}

void fill(ClientMetric& metric, const Gauge& gauge) {
    metric.gauge.value = gauge.value();
}

// The count is that of the buckets just read: another thread may be adding.
void fill(ClientMetric& metric, const Histogram& histogram) {
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i <= Histogram::bounds.size(); ++i) {
        seen += histogram.bucket(i);
        const double bound = i < Histogram::bounds.size() ? Histogram::bounds.at(i)
                                                          : std::numeric_limits<double>::infinity();
        metric.histogram.bucket.push_back({seen, bound});
    }
    metric.histogram.sample_count = seen;
    metric.histogram.sample_sum = histogram.sum();
}

// Collects the families that Statistics hands out.
class Collector {
public:
    template <typename Metric>
    void operator()(const Family<Metric>& family) {
        MetricFamily collected{family.name(), family.help(), MetricType::Untyped, {}};
        family.each([&](const std::vector<std::string>& values, const Metric& metric) {
            collected.type = type_of(metric);
            ClientMetric& added = collected.metric.emplace_back();
            for (std::size_t i = 0; i < values.size(); ++i) {
                added.label.push_back({family.labels().at(i), values[i]});
            }
            fill(added, metric);
        });
        if (!collected.metric.empty()) {
            families.push_back(std::move(collected));
        }
    }

    void gauge(const std::string& name, const std::string& help, double value,
               std::vector<ClientMetric::Label> labels = {}) {
        ClientMetric metric;
        metric.label = std::move(labels);
        metric.gauge.value = value;
        families.push_back({name, help, MetricType::Gauge, {std::move(metric)}});
    }

    std::vector<MetricFamily> families;
};

} // namespace

std::string metrics_text(const Statistics& statistics, const ProcessFacts& process) {
    Collector collector;
    collector.gauge("tenancyd_build_info", "Always 1.", 1, {{"version", process.version}});
    collector.gauge("tenancyd_start_time_seconds", "When tenancyd was started.",
                    process.start_time);
    collector.gauge("tenancyd_ready", "1 while /readyz says 200.", process.ready ? 1 : 0);
    collector.gauge("tenancyd_observing", "1 while nothing is written to any store.",
                    process.observing ? 1 : 0);
    statistics.visit(collector);
    return prometheus::TextSerializer().Serialize(collector.families);
}

} // namespace tenancy::sidecar
