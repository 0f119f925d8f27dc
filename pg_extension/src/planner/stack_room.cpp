// See stack_room.hpp. Plain C style throughout.
#include "planner/stack_room.hpp"

#include <cstdlib>

namespace tenancy::planner {

namespace {

// The statistics hold values of at most 1 kB. LIKE calls itself once for each % in a pattern that
// has found its place, so at most a thousand times, with some 100 bytes each; jsonb of that size is
// nested 128 deep.
constexpr int room_kb = 256;
constexpr int least_limit_kb = 1024;

int used_kb() {
    const pg_stack_base_t base = set_stack_base();
    restore_stack_base(base);
    const char here = 0;
    return static_cast<int>(std::abs(base - &here) / 1024);
}

} // namespace

bool has_stack_room() {
    return max_stack_depth >= least_limit_kb && max_stack_depth - used_kb() >= room_kb;
}

void check_stack_room(const PlannedStmt* statement) {
    if (likely(!statement->dependsOnRole || max_stack_depth < least_limit_kb || has_stack_room()))
        return;
    ereport(ERROR,
            (errcode(ERRCODE_STATEMENT_TOO_COMPLEX), errmsg("stack depth limit exceeded"),
             errdetail("Statements on protected tables need %d kB of max_stack_depth.", room_kb),
             errhint("Nest functions less deeply.")));
}

} // namespace tenancy::planner
