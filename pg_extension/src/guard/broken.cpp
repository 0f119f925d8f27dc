// Protected tables that somebody opened where no hook of this library saw it: a session without
// it, or a superuser's hand in the catalog. See guard.hpp. What opens nothing is left to
// tenancy.check_isolation(): another owner, permissive policies, rules.
#include "bridge/compat.hpp"
#include "bridge/sqlstate.hpp"
#include "context/authority.hpp"
#include "core/sqlstate.hpp"
#include "guard/applies.hpp"
#include "isolation/protected.hpp"
#include "isolation/run_as_owner.hpp"

namespace tenancy::guard::broken {

namespace {

constexpr const char* opened =
    "Its row security, its policies or NOT NULL of its tenant column are gone.";

// At every level of tenancy.guard: this is what protects the rows.
bool is_refused() {
    return !creating_extension && !IsBinaryUpgrade && !facts_of(GetUserId()).superuser &&
           context::authority::is_guarded(GetOuterUserId());
}

// protect() reads a table that is not whole yet, and the queries of foreign keys may: what a
// statement of theirs names itself. What views and rules bring in has a user of its own.
bool is_excepted(const PlannedStmt* statement, const RangeTblEntry* entry) {
    return (InNoForceRLSOperation() || isolation::internal_work_begins()) &&
           !OidIsValid(compat::checked_user(statement, entry));
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

Oid first_broken(const PlannedStmt* statement) {
    ListCell* cell;
    foreach (cell, statement->rtable) {
        const auto* entry = lfirst_node(RangeTblEntry, cell);
        if (entry->rtekind == RTE_RELATION && isolation::is_broken(entry->relid) &&
            !is_excepted(statement, entry))
            return entry->relid;
    }
    return InvalidOid;
}

// Read through a parent, a table is under the parent's policies alone.
Oid read_through_open_parent(const PlannedStmt* statement) {
    ListCell* cell;
    foreach (cell, statement->appendRelations) {
        const auto* child = lfirst_node(AppendRelInfo, cell);
        const Oid parent = relation_at(statement, child->parent_relid);
        const Oid relation = relation_at(statement, child->child_relid);
        if (OidIsValid(parent) && OidIsValid(relation) && isolation::is_protected(relation) &&
            !isolation::is_protected(parent) &&
            !is_excepted(statement, rt_fetch(child->parent_relid, statement->rtable)))
            return relation;
    }
    return InvalidOid;
}

[[noreturn]] void refuse_parent(Oid parent) {
    ereport(
        ERROR,
        (tn_errcode(sqlstate::protection_violated),
         errmsg("table \"%s\" is not protected and has protected children", get_rel_name(parent)),
         errdetail("What is written through it is under no policy."),
         errhint("Write to the child. An admin calls tenancy.protect() on the parent, or "
                 "detaches the child.")));
    pg_unreachable();
}

[[noreturn]] void refuse_unchecked(Oid relation) {
    ereport(ERROR, (tn_errcode(sqlstate::protection_violated),
                    errmsg("foreign keys or other constraints of protected table \"%s\" are "
                           "switched off",
                           get_rel_name(relation)),
                    errdetail("Rows of other tenants could be referred to."),
                    errhint("tenancy.check_isolation() names them, and the statements with which a "
                            "superuser switches them on again.")));
    pg_unreachable();
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

void check_parents(const PlannedStmt* statement) {
    ListCell* cell;
    foreach (cell, statement->resultRelations) {
        const auto* entry = rt_fetch(lfirst_int(cell), statement->rtable);
        if (entry->relkind == RELKIND_PARTITIONED_TABLE &&
            isolation::leads_to_protected(entry->relid) && !is_excepted(statement, entry) &&
            is_refused())
            refuse_parent(entry->relid);
    }
}

void check_writes(const PlannedStmt* statement) {
    ListCell* cell;
    foreach (cell, statement->resultRelations) {
        const auto* entry = rt_fetch(lfirst_int(cell), statement->rtable);
        if (unlikely(isolation::protection_of(entry->relid).unchecked) &&
            !is_excepted(statement, entry) && is_refused())
            refuse_unchecked(entry->relid);
    }
}

void check_relation(Oid relation, bool writes) {
    if (InNoForceRLSOperation() || isolation::internal_work_begins())
        return;
    if (isolation::is_broken(relation) && is_refused())
        refuse(relation, opened);
    if (writes && get_rel_relkind(relation) == RELKIND_PARTITIONED_TABLE &&
        isolation::leads_to_protected(relation) && is_refused())
        refuse_parent(relation);
}

void check_truncate(Oid relation) {
    if (!isolation::internal_work_begins() && isolation::has_protected_children(relation) &&
        is_refused())
        refuse_parent(relation);
}

} // namespace tenancy::guard::broken
