// What roles were given: access to tenants, offices, leave to bypass row security; see
// registry.hpp.
#include "context/registry.hpp"
#include "context/registry_scan.hpp"

namespace tenancy::context::registry {

namespace {

// Columns, in the order of sql/020_registry.sql.
enum GrantColumn : AttrNumber {
    grant_id_column = 1,
    grant_role_column,
    grant_role_name_column,
    grant_tenant_column,
    grant_mode_column,
    grant_members_column,
    grant_session_column,
    grant_until_column
};
enum OperatorColumn : AttrNumber {
    operator_role_column = 1,
    operator_kind_column,
    operator_name_column
};
enum BypassColumn : AttrNumber {
    bypass_role_column = 1,
    bypass_name_column,
    bypass_purpose_column,
    bypass_until_column
};
enum ExplainColumn : AttrNumber { // sql/250_guard.sql
    explain_role_column = 1,
    explain_name_column,
    explain_until_column
};

// A grant that names the tenant comes before one for all, read_write before read_only.
int strength(bool names_tenant, bool read_only) {
    return (names_tenant ? 2 : 0) + (read_only ? 0 : 1);
}

void consider_grants(Oid role, bool through_membership, const pg_uuid_t& tenant, Grant& best,
                     int& best_strength) {
    ScanKeyData key;
    oid_key(&key, grant_role_column, role);
    const Scan scan = begin("access_grant", "access_grant_role_idx", &key, 1);
    const TimestampTz now = GetCurrentTimestamp();
    HeapTuple row;
    while (HeapTupleIsValid(row = next(scan))) {
        bool for_all;
        const Datum named = column(scan, row, grant_tenant_column, for_all);
        if (!for_all && memcmp(DatumGetUUIDP(named), &tenant, sizeof tenant) != 0)
            continue;
        if (through_membership && !bool_column(scan, row, grant_members_column))
            continue;
        const TimestampTz until = until_column(scan, row, grant_until_column);
        if (now >= until || !names_role(scan, row, grant_role_name_column, role))
            continue;
        const bool read_only = strcmp(text_column(scan, row, grant_mode_column), "read_only") == 0;
        if (strength(!for_all, read_only) <= best_strength)
            continue;
        bool is_null;
        best.id = DatumGetInt64(column(scan, row, grant_id_column, is_null));
        best.read_only = read_only;
        best.session_scope = bool_column(scan, row, grant_session_column);
        best.valid_until = until;
        best_strength = strength(!for_all, read_only);
    }
    end(scan);
}

bool has_operator_row(Oid role, const char* kind) {
    ScanKeyData keys[2];
    oid_key(&keys[0], operator_role_column, role);
    text_key(&keys[1], operator_kind_column, kind);
    const Scan scan = begin("operator", "operator_pkey", keys, 2);
    HeapTuple row = next(scan);
    const bool found = HeapTupleIsValid(row) && names_role(scan, row, operator_name_column, role);
    end(scan);
    return found;
}

// Calls `visit(role, argument)` for the role itself and each role it is a direct member of, until
// one call returns true.
bool any_of_own_roles(Oid role, bool (*visit)(Oid, const void*), const void* argument) {
    if (visit(role, argument))
        return true;
    CatCList* memberships = SearchSysCacheList1(AUTHMEMMEMROLE, ObjectIdGetDatum(role));
    Oid* parents = static_cast<Oid*>(palloc(sizeof(Oid) * Max(memberships->n_members, 1)));
    const int count = memberships->n_members;
    for (int i = 0; i < count; i++) {
        HeapTuple tuple = &memberships->members[i]->tuple;
        parents[i] = reinterpret_cast<Form_pg_auth_members>(GETSTRUCT(tuple))->roleid;
    }
    ReleaseSysCacheList(memberships);
    for (int i = 0; i < count; i++)
        if (visit(parents[i], argument))
            return true;
    return false;
}

struct GrantSearch {
    Oid role;
    const pg_uuid_t* tenant;
    Grant* best;
    int* strength;
};

bool visit_grants(Oid role, const void* argument) {
    const auto* search = static_cast<const GrantSearch*>(argument);
    consider_grants(role, role != search->role, *search->tenant, *search->best, *search->strength);
    return false;
}

bool visit_operator(Oid role, const void* kind) {
    return has_operator_row(role, static_cast<const char*>(kind));
}

} // namespace

bool find_grant(Oid role, const pg_uuid_t& tenant, Grant& grant) {
    int best = -1;
    const GrantSearch search{role, &tenant, &grant, &best};
    any_of_own_roles(role, visit_grants, &search);
    return best >= 0;
}

bool is_operator(Oid role, const char* kind) {
    char group[NAMEDATALEN];
    snprintf(group, sizeof group, "tenancy_%s", kind);
    const Oid group_role = get_role_oid(group, true);
    if (!OidIsValid(group_role) || !is_member_of_role(role, group_role))
        return false;
    return any_of_own_roles(role, visit_operator, kind);
}

bool is_registered_bypass(Oid role, bool& backup) {
    ScanKeyData key;
    oid_key(&key, bypass_role_column, role);
    const Scan scan = begin("bypass_role", "bypass_role_pkey", &key, 1);
    HeapTuple row = next(scan);
    const bool found = HeapTupleIsValid(row) && names_role(scan, row, bypass_name_column, role) &&
                       GetCurrentTimestamp() < until_column(scan, row, bypass_until_column);
    backup = found && strcmp(text_column(scan, row, bypass_purpose_column), "backup") == 0;
    end(scan);
    return found;
}

bool may_explain(Oid role) {
    ScanKeyData key;
    oid_key(&key, explain_role_column, role);
    const Scan scan = begin("explain_grant", "explain_grant_pkey", &key, 1);
    HeapTuple row = next(scan);
    const bool granted = HeapTupleIsValid(row) &&
                         names_role(scan, row, explain_name_column, role) &&
                         GetCurrentTimestamp() < until_column(scan, row, explain_until_column);
    end(scan);
    return granted;
}

} // namespace tenancy::context::registry
