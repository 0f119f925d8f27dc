// The cache of protected relations, and how one is recognised; see protected.hpp.
#include "isolation/protected.hpp"

#include "context/known_objects.hpp"
#include "isolation/record.hpp"
#include "bridge/call.hpp"
#include "bridge/entry.hpp"

namespace tenancy::isolation {

namespace {

struct Entry {
    Oid relation; // hash key
    bool known;
    uint64 stamp;
    Protection protection;
    bool in_tree; // counts for what leads_to_protected says of others
    uint64 tree_stamp;
    bool leads_to_protected;
};

constinit HTAB* cache = nullptr;
constinit uint64 invalidations = 0; // counts messages taken in
constinit uint64 all_forgotten = 0; // entries with an older stamp are void
constinit uint64 tree_changes = 1;  // counts messages about relations that are in_tree

constexpr const char* own_policies[] = {"tenancy_select", "tenancy_insert", "tenancy_update",
                                        "tenancy_delete", "tenancy_rows",   "tenancy_shared"};

// A name of PostgreSQL's own operators never changes.
constinit context::KnownObjects<bool, 16> known_equals{};

bool is_equals(Oid operator_id) {
    const char* name = get_opname(operator_id);
    return name != nullptr && strcmp(name, "=") == 0;
}

// Of these types protect() takes columns for a kind of key, or domains over them.
bool fits(KeyKind kind, Oid type) {
    switch (kind) {
    case KeyKind::uuid:
        return type == UUIDOID;
    case KeyKind::text:
        return type == TEXTOID || type == VARCHAROID;
    case KeyKind::bigint:
        return type == INT8OID;
    case KeyKind::integer:
        return type == INT4OID;
    case KeyKind::none:
        break;
    }
    return false;
}

// Under a collation of the user's the texts of two tenants may be equal.
bool is_compared_as_stored(const OpExpr* comparison, const Var* column) {
    return comparison->inputcollid == column->varcollid &&
           (!OidIsValid(column->varcollid) || get_collation_isdeterministic(column->varcollid));
}

// `column = current_tenant_...()`, where the column may be relabelled (varchar as text), and a
// parameter may stand for the call.
KeyKind key_kind_of_predicate(const Expr* predicate, AttrNumber* column) {
    if (predicate == nullptr || !IsA(predicate, OpExpr))
        return KeyKind::none;
    const auto* comparison = reinterpret_cast<const OpExpr*>(predicate);
    if (list_length(comparison->args) != 2)
        return KeyKind::none;
    Node* left = static_cast<Node*>(linitial(comparison->args));
    Node* right = static_cast<Node*>(lsecond(comparison->args));
    if (IsA(left, RelabelType))
        left = reinterpret_cast<Node*>(castNode(RelabelType, left)->arg);
    if (!IsA(left, Var) || castNode(Var, left)->varattno <= 0)
        return KeyKind::none;
    const KeyKind kind = context::key_kind_of(right);
    if (kind == KeyKind::none || comparison->opno >= FirstNormalObjectId ||
        !known_equals.find_out(comparison->opno, is_equals) ||
        !fits(kind, getBaseType(castNode(Var, left)->vartype)) ||
        !is_compared_as_stored(comparison, castNode(Var, left)))
        return KeyKind::none;
    *column = castNode(Var, left)->varattno;
    return kind;
}

bool is_for_everybody(const RowSecurityPolicy* policy) {
    const auto* roles = reinterpret_cast<const Oid*>(ARR_DATA_PTR(policy->roles));
    return ARR_DIMS(policy->roles)[0] > 0 && roles[0] == ACL_ID_PUBLIC;
}

constexpr int command_select = 1, command_insert = 2, command_update = 4, command_delete = 8;
constexpr int every_command = 15;

int commands_of(char command) {
    switch (command) {
    case ACL_SELECT_CHR:
        return command_select;
    case ACL_INSERT_CHR:
        return command_insert;
    case ACL_UPDATE_CHR:
        return command_update;
    case ACL_DELETE_CHR:
        return command_delete;
    default:
        return every_command;
    }
}

// The commands for which this policy confines everybody to the tenant's rows.
int confined_commands(const RowSecurityPolicy* policy, Protection& found) {
    if (policy->permissive || !is_for_everybody(policy))
        return 0;
    const Expr* predicate = policy->qual != nullptr ? policy->qual : policy->with_check_qual;
    AttrNumber column = InvalidAttrNumber;
    KeyKind kind = key_kind_of_predicate(predicate, &column);
    if (kind == KeyKind::none || (found.kind != KeyKind::none && found.tenant_column != column))
        return 0;
    if (policy->qual != nullptr && policy->with_check_qual != nullptr &&
        !equal(policy->qual, policy->with_check_qual))
        return 0;
    found.kind = kind;
    found.tenant_column = column;
    return commands_of(policy->polcmd);
}

// Constraints are triggers inside, which ALTER TABLE ... DISABLE TRIGGER ALL silences as well.
bool has_silent_constraint(Relation relation) {
    const TriggerDesc* triggers = relation->trigdesc;
    for (int i = 0; triggers != nullptr && i < triggers->numtriggers; i++) {
        const Trigger& trigger = triggers->triggers[i];
        if (trigger.tgisinternal && trigger.tgenabled != TRIGGER_FIRES_ON_ORIGIN &&
            trigger.tgenabled != TRIGGER_FIRES_ALWAYS)
            return true;
    }
    return false;
}

Protection read_protection(Relation relation) {
    Protection found = {};
    if (relation->rd_rsdesc == nullptr)
        return found;
    int commands = 0;
    // Those that protect() made say which column is the tenant's; another policy may compare a
    // second one with the tenant.
    for (const bool own : {true, false}) {
        ListCell* cell;
        foreach (cell, relation->rd_rsdesc->policies) {
            const auto* policy = static_cast<const RowSecurityPolicy*>(lfirst(cell));
            if (is_own_policy(policy->policy_name) == own)
                commands |= confined_commands(policy, found);
            if (policy->permissive && strcmp(policy->policy_name, "tenancy_shared") == 0)
                found.shared = true;
        }
    }
    if (found.kind == KeyKind::none)
        return found;
    found.complete = commands == every_command && relation->rd_rel->relforcerowsecurity &&
                     TupleDescAttr(RelationGetDescr(relation), found.tenant_column - 1)->attnotnull;
    found.unchecked = has_silent_constraint(relation);
    return found;
}

HTAB* make_cache() {
    HASHCTL control = {};
    control.keysize = sizeof(Oid);
    control.entrysize = sizeof(Entry);
    control.hcxt = CacheMemoryContext;
    return hash_create("tenancy protected relations", 256, &control,
                       HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

// A statement is asked about several times, mostly for one table. Entries stay where they are.
Entry* entry_of(Oid relation) {
    static constinit Entry* latest = nullptr;
    if (latest == nullptr || latest->relation != relation) {
        auto* found = static_cast<Entry*>(hash_search(cache, &relation, HASH_FIND, nullptr));
        if (found == nullptr)
            return nullptr;
        latest = found;
    }
    return latest;
}

Protection look_up(Oid relation_id) {
    Protection found = {};
    uint64 before;
    do { // again when the relation was changed while it was read
        before = invalidations;
        Relation relation = try_relation_open(relation_id, AccessShareLock);
        if (relation == nullptr)
            return {};
        found = read_protection(relation);
        relation_close(relation, AccessShareLock);
        found.recorded = is_recorded(relation_id);
    } while (before != invalidations);

    auto* entry = static_cast<Entry*>(hash_search(cache, &relation_id, HASH_ENTER, nullptr));
    entry->protection = found;
    entry->stamp = before;
    entry->in_tree = false;
    entry->tree_stamp = 0;
    // Its record may go without a word to other sessions: sync() does not touch the table.
    entry->known = found.complete || !found.recorded;
    return found;
}

// To hear of partitions that come and go below it, and of its policies.
void watch(Oid relation) {
    protection_of(relation);
    if (Entry* entry = entry_of(relation))
        entry->in_tree = true;
}

// Asks the catalog first, so that a table of a thousand partitions does not have to open them all.
bool any_partition_protected(Oid relation) {
    bool found = false;
    ListCell* cell;
    foreach (cell, find_all_inheritors(relation, NoLock, nullptr)) {
        const Oid member = lfirst_oid(cell);
        HeapTuple row = SearchSysCache1(RELOID, ObjectIdGetDatum(member));
        if (!HeapTupleIsValid(row))
            continue;
        const auto* form = reinterpret_cast<Form_pg_class>(GETSTRUCT(row));
        const bool is_secured = form->relrowsecurity;
        const bool is_partitioned = form->relkind == RELKIND_PARTITIONED_TABLE;
        ReleaseSysCache(row);
        if (is_partitioned || is_secured)
            watch(member);
        found = found || (is_secured && is_protected(member));
    }
    return found;
}

} // namespace

Protection protection_of(Oid relation) {
    if (cache == nullptr)
        cache = make_cache();
    const Entry* entry = entry_of(relation);
    if (entry != nullptr && entry->known && entry->stamp >= all_forgotten)
        return entry->protection;
    return look_up(relation);
}

bool has_protected_children(Oid relation) {
    return has_subclass(relation) && !is_protected(relation) && any_partition_protected(relation);
}

bool leads_to_protected(Oid relation) {
    if (is_protected(relation))
        return false;
    const Entry* known = entry_of(relation);
    if (known != nullptr && known->known && known->tree_stamp == tree_changes)
        return known->leads_to_protected;
    const uint64 before = tree_changes;
    const bool found = any_partition_protected(relation);
    if (Entry* entry = entry_of(relation)) {
        entry->tree_stamp = before;
        entry->leads_to_protected = found;
    }
    return found;
}

void isolation_relcache_callback(Oid relation) {
    ++invalidations;
    if (cache == nullptr)
        return;
    if (!OidIsValid(relation)) {
        all_forgotten = invalidations;
        return;
    }
    Entry* entry = entry_of(relation);
    if (entry == nullptr)
        return;
    entry->known = false;
    if (entry->in_tree)
        ++tree_changes;
}

AttrNumber compared_column(const Node* expression) {
    AttrNumber column;
    const auto* predicate = reinterpret_cast<const Expr*>(expression);
    return key_kind_of_predicate(predicate, &column) == KeyKind::none ? InvalidAttrNumber : column;
}

bool any_protected() {
    Relation policies = table_open(PolicyRelationId, AccessShareLock);
    SysScanDesc scan = systable_beginscan(policies, InvalidOid, false, nullptr, 0, nullptr);
    bool found = false;
    HeapTuple tuple;
    while (!found && HeapTupleIsValid(tuple = systable_getnext(scan)))
        found = is_protected(reinterpret_cast<Form_pg_policy>(GETSTRUCT(tuple))->polrelid);
    systable_endscan(scan);
    table_close(policies, AccessShareLock);
    return found;
}

bool is_own_policy(const char* name) {
    for (const char* own : own_policies)
        if (strcmp(name, own) == 0)
            return true;
    return false;
}

bool is_own_trigger(const char* name) {
    return strncmp(name, "tenancy_", 8) == 0;
}

} // namespace tenancy::isolation

namespace {

const char* name_of_kind(tenancy::isolation::KeyKind kind) {
    using tenancy::isolation::KeyKind;
    switch (kind) {
    case KeyKind::uuid:
        return "uuid";
    case KeyKind::text:
        return "text";
    case KeyKind::bigint:
        return "bigint";
    case KeyKind::integer:
        return "integer";
    default:
        return nullptr;
    }
}

} // namespace

namespace tenancy {

// (tenant_column name, key_kind text, complete boolean, shared boolean) of a relation.
TENANCY_FUNCTION(protection) {
    const Oid relation = PG_GETARG_OID(0);
    const isolation::Protection found = isolation::protection_of(relation);
    TupleDesc description;
    if (get_call_result_type(fcinfo, nullptr, &description) != TYPEFUNC_COMPOSITE)
        elog(ERROR, "tenancy.protection must return a row");
    Datum values[4] = {};
    bool nulls[4] = {};
    const char* kind = name_of_kind(found.kind);
    nulls[0] = nulls[1] = kind == nullptr;
    if (kind != nullptr) {
        const char* column = get_attname(relation, found.tenant_column, false);
        values[0] = DirectFunctionCall1(namein, CStringGetDatum(column));
        values[1] = CStringGetTextDatum(kind);
    }
    values[2] = BoolGetDatum(found.complete);
    values[3] = BoolGetDatum(found.shared);
    PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(description), values, nulls)));
}

} // namespace tenancy
