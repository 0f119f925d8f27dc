// See registry.hpp. Plain C style throughout: nothing here has a destructor, so errors may pass.
#include "context/registry.hpp"

#include "context/errors.hpp"

namespace tenancy::context::registry {

namespace {

constinit bool loaded_early = false;
constinit uint64 current_epoch = 1;
constinit Oid signal_relation = InvalidOid;
constinit uint64 signal_epoch = 0; // epoch at which signal_relation was looked up

// Columns, in the order of sql/020_registry.sql.
enum TenantColumn : AttrNumber {
    tenant_id_column = 1,
    tenant_slug_column,
    tenant_external_id_column,
    tenant_external_bigint_column,
    tenant_state_column,
    tenant_generation_column,
    tenant_tier_column
};
enum AliasColumn : AttrNumber { alias_kind_column = 1, alias_value_column, alias_tenant_column };
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
enum KeyColumn : AttrNumber {
    key_issuer_column = 1,
    key_kid_column,
    key_jwk_column,
    key_algorithm_column,
    key_audience_column,
    key_all_tenants_column,
    key_max_lifetime_column,
    key_leeway_column,
    key_default_mode_column,
    key_tenant_claim_column,
    key_actor_claim_column,
    key_mode_claim_column,
    key_role_claim_column,
    key_alias_kind_column
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

// An open index scan over one table of the registry.
struct Scan {
    Relation table;
    SysScanDesc scan;
};

Oid registry_relation(const char* name) {
    const Oid schema = get_namespace_oid("tenancy", true);
    const Oid relation = OidIsValid(schema) ? get_relname_relid(name, schema) : InvalidOid;
    if (!OidIsValid(relation))
        errors::not_installed();
    return relation;
}

Scan begin(const char* table, const char* index, ScanKeyData* keys, int count) {
    Scan scan;
    scan.table = table_open(registry_relation(table), AccessShareLock);
    scan.scan =
        systable_beginscan(scan.table, registry_relation(index), true, nullptr, count, keys);
    return scan;
}

void end(const Scan& scan) {
    systable_endscan(scan.scan);
    table_close(scan.table, AccessShareLock);
}

HeapTuple next(const Scan& scan) {
    return systable_getnext(scan.scan);
}

Datum column(const Scan& scan, HeapTuple row, AttrNumber number, bool& is_null) {
    return heap_getattr(row, number, RelationGetDescr(scan.table), &is_null);
}

char* text_column(const Scan& scan, HeapTuple row, AttrNumber number) {
    bool is_null;
    const Datum value = column(scan, row, number, is_null);
    return is_null ? pstrdup("") : TextDatumGetCString(value);
}

pg_uuid_t uuid_column(const Scan& scan, HeapTuple row, AttrNumber number) {
    bool is_null;
    const Datum value = column(scan, row, number, is_null);
    if (is_null)
        elog(ERROR, "a row of the registry has no id");
    return *DatumGetUUIDP(value);
}

bool bool_column(const Scan& scan, HeapTuple row, AttrNumber number) {
    bool is_null;
    return DatumGetBool(column(scan, row, number, is_null));
}

int32 int_column(const Scan& scan, HeapTuple row, AttrNumber number) {
    bool is_null;
    return DatumGetInt32(column(scan, row, number, is_null));
}

TimestampTz until_column(const Scan& scan, HeapTuple row, AttrNumber number) {
    bool is_null;
    const Datum value = column(scan, row, number, is_null);
    return is_null ? DT_NOEND : DatumGetTimestampTz(value);
}

// Whether a row made for a role is still about that role: oids are kept and names are checked, so
// that neither a recycled oid nor a re-created name inherits what another role was given.
bool names_role(const Scan& scan, HeapTuple row, AttrNumber number, Oid role) {
    bool is_null;
    const Datum name = column(scan, row, number, is_null);
    const char* present = GetUserNameFromId(role, true);
    return !is_null && present != nullptr && strcmp(NameStr(*DatumGetName(name)), present) == 0;
}

void text_key(ScanKeyData* key, AttrNumber column_number, const char* value) {
    ScanKeyInit(key, column_number, BTEqualStrategyNumber, F_TEXTEQ, CStringGetTextDatum(value));
}

void uuid_key(ScanKeyData* key, AttrNumber column_number, const pg_uuid_t& value) {
    ScanKeyInit(key, column_number, BTEqualStrategyNumber, F_UUID_EQ, UUIDPGetDatum(&value));
}

void oid_key(ScanKeyData* key, AttrNumber column_number, Oid value) {
    ScanKeyInit(key, column_number, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(value));
}

constexpr const char* state_names[] = {"provisioning", "active",  "read_only", "suspended",
                                       "archived",     "erasing", "erased"};

TenantState parse_state(const char* name) {
    for (size_t i = 0; i < lengthof(state_names); i++)
        if (strcmp(state_names[i], name) == 0)
            return static_cast<TenantState>(i);
    elog(ERROR, "tenancy.tenant holds an unknown state");
    pg_unreachable();
}

// Cut short, it would name another tenant.
template <Size Room>
void keep_whole(char (&target)[Room], const char* text) {
    if (strlcpy(target, text, Room) >= Room)
        elog(ERROR, "tenancy.tenant holds a name that is too long");
}

void read_tenant(const Scan& scan, HeapTuple row, Tenant& tenant) {
    bool is_null;
    tenant.id = uuid_column(scan, row, tenant_id_column);
    tenant.state = parse_state(text_column(scan, row, tenant_state_column));
    keep_whole(tenant.slug, text_column(scan, row, tenant_slug_column));
    keep_whole(tenant.tier, text_column(scan, row, tenant_tier_column));
    keep_whole(tenant.external_id, text_column(scan, row, tenant_external_id_column));
    const Datum number = column(scan, row, tenant_external_bigint_column, is_null);
    tenant.has_external_bigint = !is_null;
    tenant.external_bigint = is_null ? 0 : DatumGetInt64(number);
}

bool one_tenant(const char* index, ScanKeyData* key, Tenant& tenant) {
    const Scan scan = begin("tenant", index, key, 1);
    HeapTuple row = next(scan);
    const bool found = HeapTupleIsValid(row);
    if (found)
        read_tenant(scan, row, tenant);
    end(scan);
    return found;
}

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

void role_changed(Datum, int, uint32) {
    current_epoch++;
}

// In a database without the extension anybody with CREATE may make a schema of its name, and what
// is in it need not be what is read here.
bool is_ours(Oid relation) {
    const Oid extension = get_extension_oid("tenancy", true);
    return OidIsValid(extension) && getExtensionOfObject(RelationRelationId, relation) == extension;
}

} // namespace

const char* state_name(TenantState state) {
    return state_names[static_cast<int>(state)];
}

void initialise(bool early) {
    loaded_early = early;
    CacheRegisterSyscacheCallback(AUTHOID, role_changed, 0);
    CacheRegisterSyscacheCallback(AUTHMEMMEMROLE, role_changed, 0);
}

bool preloaded() {
    return loaded_early;
}

bool installed() {
    if (signal_epoch == current_epoch)
        return OidIsValid(signal_relation);
    const uint64 looked_up_at = current_epoch;
    const Oid schema = get_namespace_oid("tenancy", true);
    const Oid found =
        OidIsValid(schema) ? get_relname_relid("registry_signal", schema) : InvalidOid;
    if (!OidIsValid(found) || (found != signal_relation && !is_ours(found)))
        signal_relation = InvalidOid;
    else
        signal_relation = found;
    signal_epoch = looked_up_at;
    return OidIsValid(signal_relation);
}

uint64 epoch() {
    return current_epoch;
}

void accept_invalidations() {
    AcceptInvalidationMessages();
}

void relation_invalidated(Oid relation) {
    // Before CREATE EXTENSION there is no relation to listen for: any new one may be it.
    if (relation == signal_relation || !OidIsValid(relation) || !OidIsValid(signal_relation))
        current_epoch++;
}

bool tenant_by_id(const pg_uuid_t& id, Tenant& tenant) {
    ScanKeyData key;
    uuid_key(&key, tenant_id_column, id);
    return one_tenant("tenant_pkey", &key, tenant);
}

bool tenant_by_slug(const char* slug, Tenant& tenant) {
    ScanKeyData key;
    text_key(&key, tenant_slug_column, slug);
    return one_tenant("tenant_slug_key", &key, tenant);
}

bool tenant_by_external_id(const char* external_id, Tenant& tenant) {
    ScanKeyData key;
    text_key(&key, tenant_external_id_column, external_id);
    return one_tenant("tenant_external_id_key", &key, tenant);
}

bool tenant_by_alias(const char* kind, const char* value, Tenant& tenant) {
    ScanKeyData keys[2];
    text_key(&keys[0], alias_kind_column, kind);
    text_key(&keys[1], alias_value_column, value);
    const Scan scan = begin("tenant_alias", "tenant_alias_pkey", keys, 2);
    HeapTuple row = next(scan);
    const bool found = HeapTupleIsValid(row);
    pg_uuid_t id{};
    if (found)
        id = uuid_column(scan, row, alias_tenant_column);
    end(scan);
    return found && tenant_by_id(id, tenant);
}

pg_uuid_t* open_tenants(int& count) {
    int room = 64;
    auto* ids = static_cast<pg_uuid_t*>(palloc(sizeof(pg_uuid_t) * room));
    count = 0;
    const Relation table = table_open(registry_relation("tenant"), AccessShareLock);
    const Relation index = index_open(registry_relation("tenant_pkey"), AccessShareLock);
    SysScanDesc ordered = systable_beginscan_ordered(table, index, nullptr, 0, nullptr);
    HeapTuple row;
    while (HeapTupleIsValid(row = systable_getnext_ordered(ordered, ForwardScanDirection))) {
        const Scan scan{table, ordered};
        char* name = text_column(scan, row, tenant_state_column);
        const TenantState state = parse_state(name);
        pfree(name);
        if (state != TenantState::active && state != TenantState::read_only)
            continue;
        if (count == room) {
            room *= 2;
            ids = static_cast<pg_uuid_t*>(repalloc_huge(ids, sizeof(pg_uuid_t) * room));
        }
        ids[count++] = uuid_column(scan, row, tenant_id_column);
    }
    systable_endscan_ordered(ordered);
    index_close(index, AccessShareLock);
    table_close(table, AccessShareLock);
    return ids;
}

bool find_grant(Oid role, const pg_uuid_t& tenant, Grant& grant) {
    int best = -1;
    const GrantSearch search{role, &tenant, &grant, &best};
    any_of_own_roles(role, visit_grants, &search);
    return best >= 0;
}

Jsonb* tier_limits(const char* tier) {
    ScanKeyData key;
    text_key(&key, 1, tier);
    const Scan scan = begin("tier", "tier_pkey", &key, 1);
    HeapTuple row = next(scan);
    Jsonb* limits = nullptr;
    bool is_null;
    if (HeapTupleIsValid(row))
        limits = DatumGetJsonbPCopy(column(scan, row, 3, is_null));
    end(scan);
    return limits;
}

bool signing_key(const char* issuer, const char* kid, SigningKey& key) {
    ScanKeyData keys[2];
    text_key(&keys[0], key_issuer_column, issuer);
    text_key(&keys[1], key_kid_column, kid);
    const Scan scan = begin("signing_key", "signing_key_pkey", keys, 2);
    HeapTuple row = next(scan);
    const bool found = HeapTupleIsValid(row);
    if (found) {
        key.jwk = text_column(scan, row, key_jwk_column);
        key.audience = text_column(scan, row, key_audience_column);
        key.tenant_claim = text_column(scan, row, key_tenant_claim_column);
        key.actor_claim = text_column(scan, row, key_actor_claim_column);
        key.mode_claim = text_column(scan, row, key_mode_claim_column);
        key.role_claim = text_column(scan, row, key_role_claim_column);
        key.alias_kind = text_column(scan, row, key_alias_kind_column);
        key.all_tenants = bool_column(scan, row, key_all_tenants_column);
        key.default_read_only =
            strcmp(text_column(scan, row, key_default_mode_column), "read_only") == 0;
        key.max_lifetime = int_column(scan, row, key_max_lifetime_column);
        key.leeway = int_column(scan, row, key_leeway_column);
    }
    end(scan);
    return found;
}

bool key_speaks_for(const char* issuer, const char* kid, const pg_uuid_t& tenant) {
    ScanKeyData keys[3];
    text_key(&keys[0], 1, issuer);
    text_key(&keys[1], 2, kid);
    uuid_key(&keys[2], 3, tenant);
    const Scan scan = begin("signing_key_tenant", "signing_key_tenant_pkey", keys, 3);
    const bool found = HeapTupleIsValid(next(scan));
    end(scan);
    return found;
}

bool token_revoked(const char* issuer, const char* jti) {
    if (jti[0] == '\0')
        return false;
    ScanKeyData keys[2];
    text_key(&keys[0], 1, issuer);
    text_key(&keys[1], 2, jti);
    const Scan scan = begin("token_revocation", "token_revocation_pkey", keys, 2);
    const bool found = HeapTupleIsValid(next(scan));
    end(scan);
    return found;
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

void describe(const Tenant& tenant, Context& context) {
    context.tenant = tenant.id;
    context.has_external_bigint = tenant.has_external_bigint;
    context.external_bigint = tenant.external_bigint;
    strlcpy(context.slug, tenant.slug, sizeof context.slug);
    strlcpy(context.tier, tenant.tier, sizeof context.tier);
    strlcpy(context.external_id, tenant.external_id, sizeof context.external_id);
}

void describe_tenant(const pg_uuid_t& id, Context& context) {
    Tenant tenant;
    if (!tenant_by_id(id, tenant))
        errors::tenant_unknown(DatumGetCString(DirectFunctionCall1(uuid_out, UUIDPGetDatum(&id))));
    describe(tenant, context);
}

} // namespace tenancy::context::registry
