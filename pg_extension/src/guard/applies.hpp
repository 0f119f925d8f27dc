// For whom and for what the guards hold; shared by the files of src/guard.
#pragma once

#include "bridge/postgres.hpp"
#include "guard/guard.hpp"
#include "isolation/protected.hpp"

namespace tenancy::guard {

extern Progress progress;

// Whether the guards hold for the outer user: tenancy.guard is not off, the role is guarded, and
// what begins is no command of the extension's own. They hold for what such a command calls.
bool applies();

// What a role is, from a small cache.
struct RoleFacts {
    bool superuser;
    bool bypasses; // BYPASSRLS without being a superuser
};
RoleFacts facts_of(Oid role);

// The first table of a plan, by whatever view or inlined function, that is(table) is true for;
// InvalidOid when none.
template <typename Is>
Oid first_table(const PlannedStmt* statement, Is is) {
    ListCell* cell;
    foreach (cell, statement->rtable) {
        const auto* entry = lfirst_node(RangeTblEntry, cell);
        if (entry->rtekind == RTE_RELATION && is(entry->relid))
            return entry->relid;
    }
    return InvalidOid;
}

inline Oid first_protected(const PlannedStmt* statement) {
    return first_table(statement, isolation::is_protected);
}

// What a guard on the executor's or the utilities' side consists of.
namespace explain {
void check(const PlannedStmt* statement, int flags);
bool is_granted();
PlannedStmt* without_costs(PlannedStmt* planned);
} // namespace explain

namespace bypass {
void check_query(const PlannedStmt* statement);
void check_relation(Oid relation, bool writes);
} // namespace bypass

// Protected tables that were opened behind the extension's back.
namespace broken {
// Whether the plan reads one. It is refused (TN018) to guarded roles.
bool check_query(const PlannedStmt* statement);
// Refuses (TN018) to write through parents that are open. Which partition a new row is for is seen
// when the statement runs, so this is for every plan.
void check_parents(const PlannedStmt* statement);
// Refuses (TN018) to write tables whose constraints are switched off.
void check_writes(const PlannedStmt* statement);
void check_relation(Oid relation, bool writes);
void check_truncate(Oid relation);
} // namespace broken

namespace temporary {
void check_targets(const PlannedStmt* statement);
void check_target(Oid relation);
void check_new(Oid class_id, Oid object_id, bool internal);
} // namespace temporary

namespace channel {
void check(const char* name);
} // namespace channel

namespace function {
// Of PostgreSQL itself, by number.
void check(Oid function);
// Of an extension or of users', by name.
void check_installed(Oid function);
} // namespace function

} // namespace tenancy::guard
