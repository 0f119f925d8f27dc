// See tenant_size.hpp. Plain C style throughout.
#include "planner/tenant_size.hpp"

#include <cmath>

#include "isolation/protected.hpp"
#include "planner/pushdown.hpp"

namespace tenancy::planner {

namespace {

using isolation::KeyKind;

// What the statistics of a table say of the size of tenants.
struct Table {
    Oid relation; // hash key
    bool current; // since the relation was last invalidated, as ANALYZE does
    KeyKind kind;
    int bucket; // the size for which plans of the table are kept
    int count;  // of the most common tenants
    Datum* tenants;
    double* rows;       // of each of them
    double other_rows;  // of any other tenant
    MemoryContext data; // holds both arrays
};

constinit HTAB* tables = nullptr;
constinit pg_uuid_t last_tenant{};

HTAB* make_tables() {
    HASHCTL control = {};
    control.keysize = sizeof(Oid);
    control.entrysize = sizeof(Table);
    control.hcxt = CacheMemoryContext;
    return hash_create("tenancy sizes of tenants", 64, &control,
                       HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

// Sizes of a factor of four share a plan.
int bucket_of_rows(double rows) {
    return rows <= 1 ? 0 : static_cast<int>(std::log2(rows) / 2);
}

bool is_tenant(KeyKind kind, Datum value, const context::Context& tenant) {
    switch (kind) {
    case KeyKind::uuid:
        return memcmp(DatumGetUUIDP(value), &tenant.tenant, sizeof tenant.tenant) == 0;
    case KeyKind::text: {
        const auto* text = reinterpret_cast<struct varlena*>(DatumGetPointer(value));
        const size_t length = VARSIZE_ANY_EXHDR(text);
        return length == strlen(tenant.external_id) &&
               memcmp(VARDATA_ANY(text), tenant.external_id, length) == 0;
    }
    case KeyKind::bigint:
        return tenant.has_external_bigint && DatumGetInt64(value) == tenant.external_bigint;
    case KeyKind::integer:
        return tenant.has_external_bigint && DatumGetInt32(value) == tenant.external_bigint;
    case KeyKind::none:
        break;
    }
    return false;
}

int bucket_of(const Table& table, const context::Context& tenant) {
    for (int at = 0; at < table.count; at++)
        if (is_tenant(table.kind, table.tenants[at], tenant))
            return bucket_of_rows(table.rows[at]);
    return bucket_of_rows(table.other_rows);
}

// Never zero, which would mean every function.
uint32 mark_of(Oid relation) {
    return hash_combine(hash_bytes_uint32(relation), hash_bytes_uint32(0x54656e61)) | 1;
}

// Copies the most common tenants and their rows.
void copy_common(Table& table, const AttStatsSlot& common, double all_rows) {
    MemoryContext previous = MemoryContextSwitchTo(table.data);
    const bool by_value = table.kind == KeyKind::bigint || table.kind == KeyKind::integer;
    const int16 length = table.kind == KeyKind::uuid ? UUID_LEN : -1;
    table.tenants = static_cast<Datum*>(palloc(sizeof(Datum) * common.nvalues));
    table.rows = static_cast<double*>(palloc(sizeof(double) * common.nvalues));
    for (int at = 0; at < common.nvalues; at++) {
        table.tenants[at] =
            by_value ? common.values[at] : datumCopy(common.values[at], false, length);
        table.rows[at] = common.numbers[at] * all_rows;
    }
    table.count = common.nvalues;
    MemoryContextSwitchTo(previous);
}

// As PostgreSQL estimates a value that is none of the most common ones.
double rows_of_others(const Form_pg_statistic statistics, const AttStatsSlot& common,
                      double all_rows) {
    double share = 1 - statistics->stanullfrac;
    for (int at = 0; at < common.nnumbers; at++)
        share -= common.numbers[at];
    double others =
        statistics->stadistinct < 0 ? -statistics->stadistinct * all_rows : statistics->stadistinct;
    others -= common.nvalues;
    return Max(share, 0) * all_rows / Max(others, 1);
}

void read_statistics(Table& table, const isolation::Protection& protection) {
    HeapTuple relation = SearchSysCache1(RELOID, ObjectIdGetDatum(table.relation));
    if (!HeapTupleIsValid(relation))
        return;
    const auto* form = reinterpret_cast<Form_pg_class>(GETSTRUCT(relation));
    const double all_rows = Max(form->reltuples, 0);
    const bool inherited = form->relkind == RELKIND_PARTITIONED_TABLE;
    ReleaseSysCache(relation);
    HeapTuple tuple =
        SearchSysCache3(STATRELATTINH, ObjectIdGetDatum(table.relation),
                        Int16GetDatum(protection.tenant_column), BoolGetDatum(inherited));
    if (!HeapTupleIsValid(tuple))
        return;
    AttStatsSlot common;
    if (get_attstatsslot(&common, tuple, STATISTIC_KIND_MCV, InvalidOid,
                         ATTSTATSSLOT_VALUES | ATTSTATSSLOT_NUMBERS)) {
        copy_common(table, common, all_rows);
    }
    table.other_rows =
        rows_of_others(reinterpret_cast<Form_pg_statistic>(GETSTRUCT(tuple)), common, all_rows);
    free_attstatsslot(&common);
    ReleaseSysCache(tuple);
}

void read_table(Table& table) {
    table.count = 0;
    table.other_rows = 0;
    if (table.data == nullptr)
        table.data = AllocSetContextCreate(CacheMemoryContext, "tenancy sizes of tenants",
                                           ALLOCSET_SMALL_SIZES);
    MemoryContextReset(table.data);
    table.current = true; // an invalidation that is taken in from here on counts
    const isolation::Protection protection = isolation::protection_of(table.relation);
    table.kind = protection.kind;
    read_statistics(table, protection);
}

Table& table_of(Oid relation) {
    if (tables == nullptr)
        tables = make_tables();
    bool found;
    auto* table = static_cast<Table*>(hash_search(tables, &relation, HASH_ENTER, &found));
    if (!found)
        *table = {relation, false, KeyKind::none, 0, 0, nullptr, nullptr, 0, nullptr};
    if (!table->current)
        read_table(*table);
    return *table;
}

} // namespace

void keep_for_size(PlannedStmt* planned, List* confined) {
    const context::Context* tenant = context::for_planning();
    ListCell* cell;
    foreach (cell, confined) {
        Table& table = table_of(static_cast<const Confined*>(lfirst(cell))->relation);
        if (tenant != nullptr)
            table.bucket = bucket_of(table, *tenant);
        auto* item = makeNode(PlanInvalItem);
        item->cacheId = PROCOID;
        item->hashValue = mark_of(table.relation);
        planned->invalItems = lappend(planned->invalItems, item);
    }
}

void tenant_entered(const context::Context& tenant) {
    if (tables == nullptr || tenant.kind != context::Kind::tenant ||
        memcmp(&last_tenant, &tenant.tenant, sizeof last_tenant) == 0)
        return;
    last_tenant = tenant.tenant;
    HASH_SEQ_STATUS scan;
    hash_seq_init(&scan, tables);
    while (auto* table = static_cast<Table*>(hash_seq_search(&scan))) {
        const int bucket = bucket_of(*table, tenant);
        if (bucket == table->bucket)
            continue;
        table->bucket = bucket;
        CallSyscacheCallbacks(PROCOID, mark_of(table->relation));
    }
}

void table_invalidated(Oid relation) {
    if (tables == nullptr)
        return;
    if (OidIsValid(relation)) {
        auto* table = static_cast<Table*>(hash_search(tables, &relation, HASH_FIND, nullptr));
        if (table != nullptr)
            table->current = false;
        return;
    }
    HASH_SEQ_STATUS scan;
    hash_seq_init(&scan, tables);
    while (auto* table = static_cast<Table*>(hash_seq_search(&scan)))
        table->current = false;
}

} // namespace tenancy::planner
