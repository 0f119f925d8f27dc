// tenancyd run: the reconciler with what a service needs around it.
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <optional>

#include <unistd.h>

#include "base/log.hpp"
#include "base/version.hpp"
#include "command/commands.hpp"
#include "config/config.hpp"
#include "reconcile/reconciler.hpp"
#include "service/http.hpp"
#include "service/metrics.hpp"
#include "service/notify.hpp"
#include "service/readiness.hpp"
#include "service/signals.hpp"

namespace tenancy::sidecar {
namespace {

using namespace std::chrono_literals;

// Below the unit's TimeoutStopSec.
constexpr Milliseconds drain_limit = 20s;

Level level_of(const LogConfig& config) {
    return config.level == "debug"     ? Level::debug
           : config.level == "warning" ? Level::warning
           : config.level == "error"   ? Level::error
                                       : Level::info;
}

// A password in the environment would be used by libpq unseen, and be visible in /proc.
void refuse_environment_password() {
    if (std::getenv("PGPASSWORD") != nullptr) {
        throw ConfigError("PGPASSWORD is set; take it out of the environment and use password_file "
                          "or credential in [postgres]");
    }
}

void reload(const ConfigFile& file) {
    try {
        set_log_level(level_of(read_config(file).log));
        log(Level::info, "log_level_reloaded",
            {{"hint", "everything else in the configuration takes a restart"}});
    } catch (const ConfigError& error) {
        log(Level::error, "configuration_unusable",
            {{"message", error.what()},
             {"hint", "nothing was changed; correct it before a restart"}});
    }
}

double seconds_since_epoch() {
    return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch())
        .count();
}

std::vector<HttpPath> paths(const Reconciler& reconciler, const Statistics& statistics) {
    return {
        {"/livez",
         [&] {
             return reconciler.healthy() ? HttpAnswer{200, "text/plain", "alive\n"}
                                         : HttpAnswer{503, "text/plain", "a thread is stuck\n"};
         }},
        {"/readyz", [&] { return readiness_answer(reconciler.ready()); }},
        {"/metrics",
         [&, start = seconds_since_epoch()] {
             const Readiness readiness = reconciler.ready();
             const ProcessFacts process{std::string(version), start, readiness.ready,
                                        readiness.observing};
             return HttpAnswer{200, "text/plain; version=0.0.4; charset=utf-8",
                               metrics_text(statistics, process)};
         }},
    };
}

// Until SIGTERM or SIGINT.
void serve(const ConfigFile& file, const Reconciler& reconciler, const Signals& signals) {
    std::string told;
    for (;;) {
        const std::string status = readiness_status(reconciler.ready());
        if (status != told) {
            notify_status(status);
            log(Level::info, "status", {{"status", status}});
            told = status;
        }
        const std::optional<int> number = signals.wait(Deadline::in(1s));
        if (number == SIGHUP) {
            reload(file);
        } else if (number) {
            log(Level::info, "stopping", {{"signal", *number}});
            return;
        }
    }
}

} // namespace

Exit run_daemon(const ConfigFile& file) {
    const Signals signals({SIGTERM, SIGINT, SIGHUP});
    std::signal(SIGPIPE, SIG_IGN); // NOLINT(cert-err33-c)
    refuse_environment_password();
    const Config config = read_config(file);
    set_log_level(level_of(config.log));
    Statistics statistics;
    Reconciler reconciler(config, statistics);
    std::optional<HttpServer> http;
    if (!config.http.listen.empty()) {
        http.emplace(config.http.listen, paths(reconciler, statistics));
    }
    log(Level::info, "started",
        {{"version", version},
         {"daemon", config.daemon},
         {"pid", getpid()},
         {"stores", config.stores.size()},
         {"http", config.http.listen}});
    reconciler.start();
    {
        const Watchdog watchdog([&reconciler] { return reconciler.healthy(); });
        notify_ready();
        serve(file, reconciler, signals);
        notify_stopping();
        reconciler.stop(Deadline::in(drain_limit));
    }
    log(Level::info, "stopped");
    return Exit::done;
}

} // namespace tenancy::sidecar
