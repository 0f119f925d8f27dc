// What roles and functions were given: access to tenants, offices, leave to bypass row security,
// trust; see registry.hpp.
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
enum TrustColumn : AttrNumber { // sql/260_trust.sql
    trust_signature_column = 1,
    trust_owner_column
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

// The roles that `role` is a direct member of; palloc'd.
Oid* parents_of(Oid role, int& count) {
    CatCList* memberships = SearchSysCacheList1(AUTHMEMMEMROLE, ObjectIdGetDatum(role));
    count = memberships->n_members;
    Oid* parents = static_cast<Oid*>(palloc(sizeof(Oid) * Max(count, 1)));
    for (int i = 0; i < count; i++) {
        HeapTuple tuple = &memberships->members[i]->tuple;
        parents[i] = reinterpret_cast<Form_pg_auth_members>(GETSTRUCT(tuple))->roleid;
    }
    ReleaseSysCacheList(memberships);
    return parents;
}

// Whether a row of tenancy.operator makes the role an operator of the kind.
bool is_about(const Scan& scan, HeapTuple row, Oid role, const char* kind) {
    bool is_null;
    const Oid named = DatumGetObjectId(column(scan, row, operator_role_column, is_null));
    return strcmp(text_column(scan, row, operator_kind_column), kind) == 0 &&
           names_role(scan, row, operator_name_column, named) && is_member_of_role(role, named);
}

} // namespace

bool find_grant(Oid role, const pg_uuid_t& tenant, Grant& grant) {
    int best = -1;
    consider_grants(role, false, tenant, grant, best);
    int count;
    const Oid* parents = parents_of(role, count);
    for (int i = 0; i < count; i++)
        consider_grants(parents[i], true, tenant, grant, best);
    return best >= 0;
}

bool is_operator(Oid role, const char* kind) {
    char group[NAMEDATALEN];
    snprintf(group, sizeof group, "tenancy_%s", kind);
    const Oid group_role = get_role_oid(group, true);
    if (!OidIsValid(group_role) || !is_member_of_role(role, group_role))
        return false;
    const Scan scan = begin("operator", "operator_pkey", nullptr, 0);
    bool found = false;
    HeapTuple row;
    while (!found && HeapTupleIsValid(row = next(scan)))
        found = is_about(scan, row, role, kind);
    end(scan);
    return found;
}

bool is_registered_bypass(Oid role, bool& backup) {
    ScanKeyData key;
    oid_key(&key, bypass_role_column, role);
    const Scan scan = begin("bypass_role", "bypass_role_pkey", &key, 1);
    HeapTuple row = next(scan);
    const bool found = has_bypassrls_privilege(role) && HeapTupleIsValid(row) &&
                       names_role(scan, row, bypass_name_column, role) &&
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

bool is_trusted_function(const char* signature, const char* owner) {
    ScanKeyData key;
    text_key(&key, trust_signature_column, signature);
    const Scan scan = begin("trusted_function", "trusted_function_pkey", &key, 1);
    HeapTuple row = next(scan);
    bool is_null = true;
    const bool trusted =
        HeapTupleIsValid(row) &&
        strcmp(NameStr(*DatumGetName(column(scan, row, trust_owner_column, is_null))), owner) == 0;
    end(scan);
    return trusted;
}

} // namespace tenancy::context::registry
