// See forced.hpp. Plain C style throughout.
#include "isolation/forced.hpp"

#include "bridge/compat.hpp"
#include "isolation/protected.hpp"

namespace tenancy::isolation {

namespace {

constinit bool checks_key = false; // and FORCE is off for it

bool is_enabled(Oid relation, Oid user) {
    return check_enable_rls(relation, user, true) == RLS_ENABLED;
}

bool is_enabled_by_force(Oid relation, Oid user) {
    if (is_enabled(relation, user))
        return false;
    set_forced(true);
    const bool enabled = is_enabled(relation, user);
    set_forced(false);
    return enabled;
}

[[noreturn]] void refuse_sub_selects(Oid relation) {
    ereport(ERROR,
            (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
             errmsg("a foreign key's action cannot reach table \"%s\" through a rule or view",
                    get_rel_name(relation)),
             errdetail("Its policies hold sub-selects."),
             errhint("Make the rule a trigger, or move the sub-select into a function.")));
    pg_unreachable();
}

// As PostgreSQL's rewriter does where row security is enabled.
void add_policies(Query* query, RangeTblEntry* entry, int number) {
    List* conditions = NIL;
    List* checks = NIL;
    bool has_row_security = false;
    bool has_sub_selects = false;
    set_forced(true);
    get_row_security_policies(query, entry, number, &conditions, &checks, &has_row_security,
                              &has_sub_selects);
    set_forced(false);
    if (has_sub_selects)
        refuse_sub_selects(entry->relid);
    entry->securityQuals = list_concat(conditions, entry->securityQuals);
    query->withCheckOptions = list_concat(checks, query->withCheckOptions);
    query->hasRowSecurity = query->hasRowSecurity || has_row_security;
}

void force_in_query(Query* query, bool written, bool topmost);

bool force_in_sub_selects(Node* node, void* written) {
    if (node == nullptr)
        return false;
    if (IsA(node, Query)) {
        force_in_query(castNode(Query, node), *static_cast<bool*>(written), false);
        return false;
    }
    return compat::walk_expression(node, force_in_sub_selects, written);
}

// `written`: the query stands in the text of the statement, and tables that it names for itself are
// what the statement is for. What rules and views name has another user's rights, or stands in the
// query of a view; or it is what a rule writes, itself or in a WITH clause, through a view with the
// rights of whoever asks.
void force_in_query(Query* query, bool written, bool topmost) {
    check_stack_depth();
    const bool is_original = topmost && query->querySource == QSRC_ORIGINAL;
    int number = 0;
    ListCell* cell;
    foreach (cell, query->rtable) {
        auto* entry = lfirst_node(RangeTblEntry, cell);
        number++;
        if (entry->rtekind == RTE_SUBQUERY)
            force_in_query(entry->subquery, written && compat::is_written(entry), false);
        if (entry->rtekind != RTE_RELATION ||
            (entry->relkind != RELKIND_RELATION && entry->relkind != RELKIND_PARTITIONED_TABLE))
            continue;
        const Oid user = compat::checked_user(query, entry);
        if (written && !OidIsValid(user) && (is_original || number != query->resultRelation))
            continue;
        if (is_enabled_by_force(entry->relid, user))
            add_policies(query, entry, number);
        // Tells the guards what the statement did not name itself.
        if (!OidIsValid(user))
            compat::set_checked_user(query, entry, GetUserId());
    }
    compat::walk_query(query, force_in_sub_selects, &written, QTW_IGNORE_RT_SUBQUERIES);
}

} // namespace

void set_forced(bool on) {
    Oid user;
    int security;
    GetUserIdAndSecContext(&user, &security);
    SetUserIdAndSecContext(user,
                           on ? security & ~SECURITY_NOFORCE_RLS : security | SECURITY_NOFORCE_RLS);
}

void begin_key_check(const List* tables) {
    if (InNoForceRLSOperation() || list_length(tables) != 2)
        return;
    bool concerned = false;
    ListCell* cell;
    foreach (cell, tables) {
        const Oid relation = lfirst_node(RangeTblEntry, cell)->relid;
        concerned = concerned || is_protected(relation) || is_broken(relation);
    }
    if (!concerned)
        return;
    set_forced(false);
    foreach (cell, tables) {
        if (!is_enabled(lfirst_node(RangeTblEntry, cell)->relid, InvalidOid))
            continue;
        set_forced(true); // not its owner: PostgreSQL checks row by row, in another way
        return;
    }
    checks_key = true;
}

void end_key_check() {
    if (likely(!checks_key) || !InNoForceRLSOperation())
        return;
    checks_key = false;
    set_forced(true);
}

KeyCheckScope::KeyCheckScope() noexcept : outer_(checks_key) {
    checks_key = false;
}

KeyCheckScope::~KeyCheckScope() {
    end_key_check();
    checks_key = outer_;
}

void force_policies(Query* statement) {
    if (InNoForceRLSOperation())
        force_in_query(statement, true, true);
}

} // namespace tenancy::isolation
