// Takes the steps of a plan one by one on a live table: each short lock is asked for with a time
// limit and again later when it was not to be had; Ctrl-C stops after what is done, which stays
// done.
#pragma once

#include <string>

#include "command/commands.hpp"
#include "protect/observer.hpp"
#include "protect/plan.hpp"
#include "service/signals.hpp"

namespace tenancy::sidecar {

class ProtectRunner {
public:
    // To be made before any thread. `target` is a conninfo.
    ProtectRunner(const ProtectOptions& options, const std::string& target);

    // Exit::failed when it was interrupted or gave up. Throws SqlError for what trying again does
    // not change.
    [[nodiscard]] Exit run();

private:
    enum class Pass { done, interrupted };

    Pass pass();
    void take(const PlanStep& step, const std::string& place);
    void execute(const std::string& sql, const std::string& place);
    void watch(const std::string& place, double seconds);
    void interrupt();
    // False when a signal came meanwhile.
    bool wait_before_again(const std::string& why);

    const ProtectOptions& options_;
    PostgresConfig config_;
    Signals signals_;
    Connection connection_;
    Observer observer_;
    std::string pid_;
    int failures_ = 0;
    bool interrupted_ = false;
};

} // namespace tenancy::sidecar
