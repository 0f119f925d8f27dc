// The steps that protect a live table, as tenancy.protect_plan() gives them.
#pragma once

#include <string>
#include <vector>

#include "command/commands.hpp"
#include "postgres/connection.hpp"

namespace tenancy::sidecar {

struct PlanStep {
    std::string sql;
    std::string lock;
    std::string explanation;
};

// What is left to do now: an interrupted attempt's finished parts are not in it.
[[nodiscard]] std::vector<PlanStep> plan_steps(Connection& connection,
                                               const ProtectOptions& options);

// Whether the step builds or drops an index concurrently. It waits for transactions without
// blocking any reader or writer behind it, so that lock_timeout would only throw its work away.
[[nodiscard]] bool is_concurrent(const PlanStep& step);

// Whether trying again helps: a lock was not to be had, a deadlock, a conflict.
[[nodiscard]] bool may_pass(const SqlError& error);

} // namespace tenancy::sidecar
