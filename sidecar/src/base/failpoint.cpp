// Linked into the tests' program alone, where it takes the place of no_failpoint.cpp.
#include "base/failpoint.hpp"

#include <charconv>
#include <csignal>
#include <cstdlib>
#include <mutex>
#include <string>

#include <fcntl.h>
#include <unistd.h>

namespace tenancy::sidecar {
namespace {

struct Plan {
    std::string name;
    int remaining = 1;
    int log = -1;
};

Plan read_plan() {
    Plan plan;
    if (const char* file = std::getenv("TENANCYD_FAILPOINT_LOG")) {
        plan.log = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    }
    const char* given = std::getenv("TENANCYD_FAILPOINT");
    const std::string_view text = given != nullptr ? given : "";
    const auto colon = text.rfind(':');
    plan.name = text.substr(0, colon);
    if (colon != std::string_view::npos) {
        std::from_chars(text.data() + colon + 1, text.data() + text.size(), plan.remaining);
    }
    return plan;
}

} // namespace

void failpoint(std::string_view name) {
    static std::mutex mutex;
    static Plan plan = read_plan();
    const std::lock_guard lock(mutex);
    if (plan.log >= 0) {
        const std::string line = std::string(name) + "\n";
        [[maybe_unused]] const auto written = write(plan.log, line.data(), line.size());
    }
    if (name == plan.name && --plan.remaining == 0) {
        kill(getpid(), SIGKILL);
        pause();
    }
}

} // namespace tenancy::sidecar
