// The entry rule: the context is set by a top-level SET, or by a statement that is exactly
// SELECT tenancy.enter(<parameter or literal>), with nothing but BEGIN before it in its query
// string. What SQL injected into a statement, a function, DO or a procedure does is neither.
#pragma once

#include "bridge/postgres.hpp"

namespace tenancy::context::entry_rule {

// Whether the query about to start is an entry statement. To be asked in ExecutorStart, before
// anything of the statement runs; remembers the answer for running().
bool is_entry(const QueryDesc* query);

// While an entry statement runs, tells the functions it may call that it does. `query` is what
// ExecutorRun was called with. RAII: remembers and restores.
class Running {
public:
    explicit Running(const QueryDesc* query);
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;
    ~Running();

private:
    const QueryDesc* previous_;
};

// Whether the SQL function that asks was called by an entry statement itself.
bool called_directly();

// Whether the entry statement's tenant was bound, not written into the SQL text.
bool tenant_is_bound();

// Whether a top-level SET of tenancy.context keeps the rule.
bool allows_set(const PlannedStmt* statement, const char* source, ProcessUtilityContext context);

} // namespace tenancy::context::entry_rule
