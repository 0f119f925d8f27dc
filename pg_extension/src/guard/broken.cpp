// Protected tables that somebody opened where no hook of this library saw it: a session without
// it, or a superuser's hand in the catalog. See guard.hpp.
#include "bridge/sqlstate.hpp"
#include "context/authority.hpp"
#include "core/sqlstate.hpp"
#include "guard/applies.hpp"
#include "isolation/protected.hpp"

namespace tenancy::guard::broken {

namespace {

constexpr const char* opened =
    "Its row security, its policies or NOT NULL of its tenant column are gone.";

// At every level of tenancy.guard: this is what protects the rows. protect() itself reads a table
// that is not whole yet, without FORCE.
bool is_refused() {
    return !creating_extension && !IsBinaryUpgrade && !InNoForceRLSOperation() &&
           !is_internal_work() && !facts_of(GetUserId()).superuser &&
           context::authority::is_guarded(GetOuterUserId());
}

[[noreturn]] void refuse(Oid relation, const char* how) {
    ereport(ERROR, (tn_errcode(sqlstate::protection_violated),
                    errmsg("protected table \"%s\" is no longer protected", get_rel_name(relation)),
                    errdetail("%s", how),
                    errhint("An admin asks tenancy.check_isolation() what is missing, and calls "
                            "tenancy.protect() again, or tenancy.sync() when that was meant.")));
    pg_unreachable();
}

Oid relation_at(const PlannedStmt* statement, Index number) {
    const auto* entry = rt_fetch(number, statement->rtable);
    return entry->rtekind == RTE_RELATION ? entry->relid : InvalidOid;
}

// Read through a parent, a table is under the parent's policies alone.
Oid read_through_open_parent(const PlannedStmt* statement) {
    ListCell* cell;
    foreach (cell, statement->appendRelations) {
        const auto* child = lfirst_node(AppendRelInfo, cell);
        const Oid parent = relation_at(statement, child->parent_relid);
        const Oid relation = relation_at(statement, child->child_relid);
        if (OidIsValid(parent) && OidIsValid(relation) && isolation::is_protected(relation) &&
            !isolation::is_protected(parent))
            return relation;
    }
    return InvalidOid;
}

Oid first_broken(const PlannedStmt* statement) {
    ListCell* cell;
    foreach (cell, statement->rtable) {
        const auto* entry = lfirst_node(RangeTblEntry, cell);
        if (entry->rtekind == RTE_RELATION && isolation::is_broken(entry->relid))
            return entry->relid;
    }
    return InvalidOid;
}

} // namespace

bool check_query(const PlannedStmt* statement) {
    const Oid lost = first_broken(statement);
    const Oid child = read_through_open_parent(statement);
    const bool found = OidIsValid(lost) || OidIsValid(child);
    if (likely(!found) || !is_refused())
        return found;
    if (OidIsValid(lost))
        refuse(lost, opened);
    refuse(child, "It is read through a parent that is not protected.");
}

void check_relation(Oid relation) {
    if (isolation::is_broken(relation) && is_refused())
        refuse(relation, opened);
}

} // namespace tenancy::guard::broken
