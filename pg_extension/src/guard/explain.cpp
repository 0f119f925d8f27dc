// EXPLAIN: its estimates and counts are made from the rows of all tenants. See guard.hpp.
#include "bridge/sqlstate.hpp"
#include "context/registry.hpp"
#include "context/setting.hpp"
#include "guard/applies.hpp"

namespace tenancy::guard::explain {

namespace {

using context::setting::Guard;

} // namespace

bool is_granted() {
    return context::registry::may_explain(GetOuterUserId());
}

void check(const PlannedStmt* statement, int flags) {
    const bool only = (flags & EXEC_FLAG_EXPLAIN_ONLY) != 0;
    if (!only && !progress.explaining)
        return;
    // At this level the utility hook has taken the costs out, and what is left is counts.
    if (context::setting::guard() == Guard::standard && progress.explaining && !progress.analyzing)
        return;
    const Oid relation = first_protected(statement);
    if (!OidIsValid(relation) || is_granted())
        return;
    ereport(ERROR,
            (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
             errmsg("permission denied to EXPLAIN a statement on protected table \"%s\"",
                    get_rel_name(relation)),
             errdetail("EXPLAIN shows estimates and counts made from the rows of all tenants."),
             errhint("An admin may allow it for a while with tenancy.grant_explain(role, "
                     "until, reason).")));
}

PlannedStmt* without_costs(PlannedStmt* planned) {
    if (context::setting::guard() != Guard::standard || !applies() || is_granted())
        return planned;
    PlannedStmt* copy = copyObject(planned);
    auto* statement = castNode(ExplainStmt, copy->utilityStmt);
    Node* off = reinterpret_cast<Node*>(makeString(pstrdup("off")));
    // The last of several options of one name counts.
    statement->options = lappend(statement->options, makeDefElem(pstrdup("costs"), off, -1));
    return copy;
}

} // namespace tenancy::guard::explain
