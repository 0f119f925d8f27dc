// tenancyd protect: the plan of tenancy.protect_plan(), printed or run.
#include <iostream>

#include "base/printable.hpp"
#include "command/commands.hpp"
#include "protect/plan.hpp"
#include "protect/runner.hpp"

namespace tenancy::sidecar {
namespace {

Exit print_plan(const ProtectOptions& options) {
    Connection connection(PostgresConfig{}, options.login.target(), "tenancyd protect");
    for (const PlanStep& step : plan_steps(connection, options)) {
        std::cout << "-- " << printable(step.explanation) << "\n-- lock: " << step.lock << '\n'
                  << step.sql << ";\n\n";
    }
    return Exit::done;
}

} // namespace

Exit protect(const ProtectOptions& options) {
    if (options.dry_run) {
        return print_plan(options);
    }
    return ProtectRunner(options, options.login.target()).run();
}

} // namespace tenancy::sidecar
