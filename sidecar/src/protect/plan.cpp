#include "protect/plan.hpp"

#include <algorithm>
#include <array>

namespace tenancy::sidecar {

std::vector<PlanStep> plan_steps(Connection& connection, const ProtectOptions& options) {
    connection.execute("RESET search_path"); // the table's name means what its owner means by it
    const Rows rows = connection.execute(
        "SELECT sql, lock, explanation FROM tenancy.protect_plan($1::regclass, $2, via => $3, "
        "harden_keys => $4, fill_null => $5, owner => $6::regrole, existing_policies => $7) "
        "ORDER BY step",
        {options.relation, options.tenant_column, options.via, options.harden_keys,
         options.fill_null ? "true" : "false", options.owner, options.existing_policies});
    std::vector<PlanStep> steps;
    steps.reserve(rows.rows.size());
    for (const auto& row : rows.rows) {
        steps.push_back({row.at(0).value_or(""), row.at(1).value_or(""), row.at(2).value_or("")});
    }
    return steps;
}

bool is_concurrent(const PlanStep& step) {
    constexpr std::array<std::string_view, 3> beginnings{"CREATE INDEX CONCURRENTLY ",
                                                         "CREATE UNIQUE INDEX CONCURRENTLY ",
                                                         "DROP INDEX CONCURRENTLY "};
    return std::any_of(beginnings.begin(), beginnings.end(),
                       [&](std::string_view beginning) { return step.sql.starts_with(beginning); });
}

bool may_pass(const SqlError& error) {
    constexpr std::array<std::string_view, 3> passing{"55P03", "40P01", "40001"};
    return std::find(passing.begin(), passing.end(), error.sqlstate()) != passing.end();
}

} // namespace tenancy::sidecar
