// See registry.hpp. Plain C style throughout: nothing here has a destructor, so errors may pass.
#include "context/registry.hpp"

#include "context/errors.hpp"
#include "context/registry_scan.hpp"

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

void signal_change() {
    const Oid relation = get_relname_relid("registry_signal", get_namespace_oid("tenancy", false));
    if (OidIsValid(relation))
        CacheInvalidateRelcacheByRelid(relation);
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
