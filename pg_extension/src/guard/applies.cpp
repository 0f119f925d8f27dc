// For whom the guards hold, and what the hooks have seen on the way; see applies.hpp.
#include "guard/applies.hpp"

#include "context/authority.hpp"
#include "context/known_objects.hpp"
#include "context/setting.hpp"
#include "context/state.hpp"
#include "isolation/protected.hpp"
#include "isolation/run_as_owner.hpp"

namespace tenancy::guard {

constinit Progress progress{};

namespace {

constinit context::KnownObjects<RoleFacts, 16> known_roles{};

RoleFacts ask_about(Oid role) {
    const bool superuser = superuser_arg(role);
    return {superuser, !superuser && has_bypassrls_privilege(role)};
}

bool drops_at_commit(const Node* statement) {
    if (IsA(statement, CreateStmt))
        return castNode(CreateStmt, statement)->oncommit == ONCOMMIT_DROP;
    if (IsA(statement, CreateTableAsStmt))
        return castNode(CreateTableAsStmt, statement)->into->onCommit == ONCOMMIT_DROP;
    return false;
}

// EXPLAIN's own reading of the option: the last one counts. A value it would refuse counts as true.
bool analyzes(const ExplainStmt* statement) {
    bool found = false;
    ListCell* cell;
    foreach (cell, statement->options) {
        auto* option = lfirst_node(DefElem, cell);
        if (strcmp(option->defname, "analyze") != 0)
            continue;
        const Node* value = option->arg;
        found = value == nullptr || !IsA(value, String) ||
                (pg_strcasecmp(strVal(value), "false") != 0 &&
                 pg_strcasecmp(strVal(value), "off") != 0);
        if (value != nullptr && IsA(value, Integer))
            found = intVal(value) != 0;
    }
    return found;
}

// Whether the portal's rows are to outlive the transaction: WITH HOLD, or being saved right now by
// a COMMIT inside a loop. Only the latter fills a hold store of a plain SELECT.
bool is_held(const PortalData* portal) {
    return portal->strategy == PORTAL_ONE_SELECT &&
           ((portal->cursorOptions & CURSOR_OPT_HOLD) != 0 || portal->holdStore != nullptr);
}

} // namespace

ProgressScope::ProgressScope(const Node* statement, ProcessUtilityContext kind) : saved_(progress) {
    if (kind != PROCESS_UTILITY_SUBCOMMAND)
        progress.drops_at_commit = drops_at_commit(statement);
    if (IsA(statement, RefreshMatViewStmt))
        progress.refreshing = true;
    if (IsA(statement, ExplainStmt)) {
        progress.explaining = true;
        progress.analyzing = progress.analyzing || analyzes(castNode(ExplainStmt, statement));
    }
}

ProgressScope::ProgressScope(const QueryDesc* query) : saved_(progress) {
    const PortalData* portal = ActivePortal;
    if (portal != nullptr && portal->queryDesc == query && is_held(portal))
        progress.holding = true;
}

ProgressScope::~ProgressScope() {
    progress = saved_;
}

bool applies() {
    return context::setting::guard() != context::setting::Guard::off && !creating_extension &&
           !IsBinaryUpgrade && context::authority::is_guarded(GetOuterUserId()) &&
           !isolation::internal_work_begins();
}

RoleFacts facts_of(Oid role) {
    return known_roles.find_out(role, ask_about);
}

} // namespace tenancy::guard
