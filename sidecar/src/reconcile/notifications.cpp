#include "reconcile/notifications.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <stdexcept>
#include <system_error>

#include <sys/eventfd.h>
#include <unistd.h>

#include "postgres/connection.hpp"

namespace tenancy::sidecar {
namespace {

constexpr const char* lifecycle_channel = "tenancy_lifecycle";
constexpr const char* probe_channel = "tenancyd_probe";
constexpr Milliseconds probe_limit{2000};

class EventDescriptor {
public:
    EventDescriptor() : fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
        if (fd_ < 0) {
            throw std::system_error(errno, std::generic_category(), "eventfd");
        }
    }
    ~EventDescriptor() { close(fd_); }
    EventDescriptor(const EventDescriptor&) = delete;
    EventDescriptor& operator=(const EventDescriptor&) = delete;

    [[nodiscard]] int get() const { return fd_; }
    void signal() const {
        const std::uint64_t one = 1;
        [[maybe_unused]] const auto written = write(fd_, &one, sizeof one);
    }

private:
    int fd_;
};

class ListeningConnection : public Notifications {
public:
    explicit ListeningConnection(const PostgresConfig& config)
        : config_(config), connection_(config, config.conninfo, "tenancyd listener") {
        connection_.listen(lifecycle_channel);
        connection_.listen(probe_channel);
    }

    // The sender is another connection, since a pooler hands a session's own notifications on.
    bool arrive() override {
        connection_.disconnect();
        [[maybe_unused]] const auto connected =
            connection_.wait_for_notifications(Deadline::in(Milliseconds::zero()), -1);
        Connection sender(config_, config_.conninfo, "tenancyd listener's probe");
        const auto fresh = sender.execute("SELECT gen_random_uuid()::text AS id");
        const std::string id = fresh.at(0, "id").value_or("");
        // The extension lets nobody call pg_notify(), to whose channel's name no rule can be put.
        sender.execute("NOTIFY " + std::string(probe_channel) + ", '" + id + "'");
        const auto limit = Deadline::in(probe_limit);
        while (!limit.passed()) {
            const auto payloads = connection_.wait_for_notifications(limit, interrupt_.get());
            if (std::find(payloads.begin(), payloads.end(), id) != payloads.end()) {
                return true;
            }
            if (payloads.empty()) {
                return false;
            }
        }
        return false;
    }

    std::vector<std::string> wait(Deadline deadline) override {
        return connection_.wait_for_notifications(deadline, interrupt_.get());
    }

    void interrupt() override { interrupt_.signal(); }

private:
    const PostgresConfig config_;
    Connection connection_;
    EventDescriptor interrupt_;
};

} // namespace

std::unique_ptr<Notifications> make_notifications(const PostgresConfig& config) {
    return std::make_unique<ListeningConnection>(config);
}

} // namespace tenancy::sidecar
