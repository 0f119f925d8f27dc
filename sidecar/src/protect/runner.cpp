#include "protect/runner.hpp"

#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdlib>
#include <future>
#include <iostream>

#include "base/failure.hpp"
#include "base/printable.hpp"
#include "reconcile/backoff.hpp"

namespace tenancy::sidecar {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr Milliseconds first_pause = 200ms;
constexpr Milliseconds longest_pause = 10s;
constexpr Milliseconds progress_pause = 2s;

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

std::string seconds_text(double seconds) {
    const auto tenths = std::lround(seconds * 10);
    return std::to_string(tenths / 10) + '.' + std::to_string(tenths % 10) + " s";
}

void say(const std::string& line) {
    std::cout << line << std::endl; // NOLINT(performance-avoid-endl): progress is to be seen
}

} // namespace

ProtectRunner::ProtectRunner(const ProtectOptions& options, const std::string& target)
    : options_(options), signals_({SIGINT, SIGTERM}),
      connection_(config_, target, "tenancyd protect"), observer_(config_, target) {}

Exit ProtectRunner::run() {
    for (;;) {
        std::string why;
        try {
            const Pass ended = pass();
            if (ended == Pass::done) {
                say(options_.relation + " is protected");
                return Exit::done;
            }
        } catch (const SqlError& error) {
            if (!may_pass(error)) {
                throw;
            }
            why = error.what();
        } catch (const Unavailable& error) {
            why = error.what();
        }
        if (interrupted_ || !wait_before_again(why)) {
            say("interrupted; what is done stays done: run the same command again to go on");
            return Exit::failed;
        }
        if (failures_ >= options_.attempts) {
            say("given up after " + std::to_string(failures_) +
                " failures in a row; what is done stays done: run it again at a quieter hour");
            return Exit::failed;
        }
    }
}

// Once through a fresh plan.
ProtectRunner::Pass ProtectRunner::pass() {
    const std::vector<PlanStep> steps = plan_steps(connection_, options_);
    pid_ = connection_.execute("SELECT pg_catalog.pg_backend_pid()").rows.at(0).at(0).value_or("");
    say(options_.relation + ": " + std::to_string(steps.size()) + " steps to do");
    for (std::size_t i = 0; i < steps.size(); ++i) {
        const std::string place =
            "step " + std::to_string(i + 1) + " of " + std::to_string(steps.size());
        take(steps[i], place);
        // The first step only sets what the session waits; it always succeeds.
        failures_ = i > 0 ? 0 : failures_;
        if (interrupted_ && i + 1 < steps.size()) {
            return Pass::interrupted;
        }
    }
    return Pass::done;
}

void ProtectRunner::take(const PlanStep& step, const std::string& place) {
    say(place + ": " + printable(step.sql) + "  [" + step.lock + "]");
    const auto start = Clock::now();
    if (is_concurrent(step)) {
        connection_.execute("SET lock_timeout = 0");
    }
    execute(step.sql, place);
    if (is_concurrent(step)) {
        connection_.execute("SET lock_timeout = '2s'");
    }
    for (const std::string& notice : connection_.take_notices()) {
        say("  " + printable(notice));
    }
    say("  done in " + seconds_text(seconds_since(start)));
}

// The statement runs in a thread of its own, so that signals are answered and progress is shown.
void ProtectRunner::execute(const std::string& sql, const std::string& place) {
    const auto start = Clock::now();
    auto running =
        std::async(std::launch::async, [&] { connection_.execute_within(sql, {}, std::nullopt); });
    auto shown = start;
    while (running.wait_for(50ms) != std::future_status::ready) {
        if (signals_.wait(Deadline::in(Milliseconds(1)))) {
            interrupt();
        }
        if (Clock::now() - shown >= progress_pause) {
            watch(place, seconds_since(start));
            shown = Clock::now();
        }
    }
    running.get();
}

void ProtectRunner::watch(const std::string& place, double seconds) {
    const std::string progress = observer_.progress(pid_);
    say("  " + place + ", " + seconds_text(seconds) + (progress.empty() ? "" : ": " + progress));
}

// A second one ends the program at once; the server then ends the statement when it notices.
void ProtectRunner::interrupt() {
    if (interrupted_) {
        std::_Exit(130);
    }
    interrupted_ = true;
    say("  interrupted; cancelling what runs");
    if (!observer_.cancel(pid_)) {
        say("  it could not be cancelled; interrupt again to leave at once");
    }
}

bool ProtectRunner::wait_before_again(const std::string& why) {
    ++failures_;
    const Milliseconds pause = backoff(first_pause, longest_pause, failures_, random_fraction());
    const double seconds = std::chrono::duration<double>(pause).count();
    say("  " + printable(why) + "; planning again in " + seconds_text(seconds));
    return !signals_.wait(Deadline::in(pause));
}

} // namespace tenancy::sidecar
