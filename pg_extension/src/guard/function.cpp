// Functions that an application role does not get, or not in every context: PostgreSQL's own, by
// number, and pg_stat_statements. The list is static and documented in docs/explanation/guards.md.
// See guard.hpp.
#include "bridge/compat.hpp"
#include "bridge/sqlstate.hpp"
#include "context/known_objects.hpp"
#include "context/leftovers.hpp"
#include "context/setting.hpp"
#include "context/state.hpp"
#include "guard/applies.hpp"

namespace tenancy::guard::function {

namespace {

enum class Rule : uint8 {
    none,
    notify,
    signal,
    activity,
    advisory_lock,
    sequence_write,
    large_object,
    large_object_write,
    statistics
};

constexpr Rule rule_of(Oid function) {
    switch (function) {
    case F_PG_NOTIFY:
        return Rule::notify;
    case F_PG_CANCEL_BACKEND:
    case F_PG_TERMINATE_BACKEND:
        return Rule::signal;
    case F_PG_STAT_GET_ACTIVITY:
    case F_PG_STAT_GET_BACKEND_ACTIVITY:
    case F_PG_STAT_GET_BACKEND_ACTIVITY_START:
    case F_PG_STAT_GET_BACKEND_XACT_START:
    case F_PG_STAT_GET_BACKEND_WAIT_EVENT_TYPE:
    case F_PG_STAT_GET_BACKEND_WAIT_EVENT:
    case F_PG_STAT_GET_BACKEND_CLIENT_ADDR:
    case F_PG_STAT_GET_BACKEND_CLIENT_PORT:
    case F_PG_STAT_GET_PROGRESS_INFO:
    case F_PG_LOCK_STATUS:
    case F_PG_BLOCKING_PIDS:
    case F_PG_SAFE_SNAPSHOT_BLOCKING_PIDS:
    case F_PG_ISOLATION_TEST_SESSION_IS_BLOCKED:
        return Rule::activity;
    case F_PG_ADVISORY_LOCK_INT8:
    case F_PG_ADVISORY_LOCK_INT4_INT4:
    case F_PG_ADVISORY_LOCK_SHARED_INT8:
    case F_PG_ADVISORY_LOCK_SHARED_INT4_INT4:
    case F_PG_ADVISORY_XACT_LOCK_INT8:
    case F_PG_ADVISORY_XACT_LOCK_INT4_INT4:
    case F_PG_ADVISORY_XACT_LOCK_SHARED_INT8:
    case F_PG_ADVISORY_XACT_LOCK_SHARED_INT4_INT4:
    case F_PG_TRY_ADVISORY_LOCK_INT8:
    case F_PG_TRY_ADVISORY_LOCK_INT4_INT4:
    case F_PG_TRY_ADVISORY_LOCK_SHARED_INT8:
    case F_PG_TRY_ADVISORY_LOCK_SHARED_INT4_INT4:
    case F_PG_TRY_ADVISORY_XACT_LOCK_INT8:
    case F_PG_TRY_ADVISORY_XACT_LOCK_INT4_INT4:
    case F_PG_TRY_ADVISORY_XACT_LOCK_SHARED_INT8:
    case F_PG_TRY_ADVISORY_XACT_LOCK_SHARED_INT4_INT4:
        return Rule::advisory_lock;
    case F_LO_OPEN:
    case F_LO_CLOSE:
    case F_LOREAD:
    case F_LO_LSEEK:
    case F_LO_LSEEK64:
    case F_LO_TELL:
    case F_LO_TELL64:
    case F_LO_GET_OID:
    case F_LO_GET_OID_INT8_INT4:
    case F_LO_EXPORT:
        return Rule::large_object;
    case F_LO_IMPORT_TEXT:
    case F_LO_IMPORT_TEXT_OID:
    case F_LO_CREAT:
    case F_LO_CREATE:
    case F_LO_UNLINK:
    case F_LOWRITE:
    case F_LO_PUT:
    case F_LO_TRUNCATE:
    case F_LO_TRUNCATE64:
    case F_LO_FROM_BYTEA:
        return Rule::large_object_write;
    case F_NEXTVAL:
    case F_SETVAL_REGCLASS_INT8:
    case F_SETVAL_REGCLASS_INT8_BOOL:
        return Rule::sequence_write;
    case F_PG_STAT_GET_NUMSCANS:
    case F_PG_STAT_GET_TUPLES_RETURNED:
    case F_PG_STAT_GET_TUPLES_FETCHED:
    case F_PG_STAT_GET_TUPLES_INSERTED:
    case F_PG_STAT_GET_TUPLES_UPDATED:
    case F_PG_STAT_GET_TUPLES_DELETED:
    case F_PG_STAT_GET_TUPLES_HOT_UPDATED:
    case F_PG_STAT_GET_BLOCKS_FETCHED:
    case F_PG_STAT_GET_BLOCKS_HIT:
    case F_PG_STAT_GET_LIVE_TUPLES:
    case F_PG_STAT_GET_DEAD_TUPLES:
    case F_PG_STAT_GET_MOD_SINCE_ANALYZE:
    case F_PG_STAT_GET_INS_SINCE_VACUUM:
    case F_PG_STAT_GET_XACT_NUMSCANS:
    case F_PG_STAT_GET_XACT_TUPLES_RETURNED:
    case F_PG_STAT_GET_XACT_TUPLES_FETCHED:
    case F_PG_STAT_GET_XACT_TUPLES_INSERTED:
    case F_PG_STAT_GET_XACT_TUPLES_UPDATED:
    case F_PG_STAT_GET_XACT_TUPLES_DELETED:
    case F_PG_STAT_GET_XACT_TUPLES_HOT_UPDATED:
    case F_PG_STAT_GET_XACT_BLOCKS_FETCHED:
    case F_PG_STAT_GET_XACT_BLOCKS_HIT:
    // With track_functions, calls of what policies and conditions call for each row.
    case F_PG_STAT_GET_FUNCTION_CALLS:
    case F_PG_STAT_GET_FUNCTION_TOTAL_TIME:
    case F_PG_STAT_GET_FUNCTION_SELF_TIME:
    case F_PG_STAT_GET_XACT_FUNCTION_CALLS:
    case F_PG_STAT_GET_XACT_FUNCTION_TOTAL_TIME:
    case F_PG_STAT_GET_XACT_FUNCTION_SELF_TIME:
    // Where nobody else works in the database, what they grew by is one's own statement's count.
    case F_PG_STAT_GET_DB_TUPLES_RETURNED:
    case F_PG_STAT_GET_DB_TUPLES_FETCHED:
    case F_PG_STAT_GET_DB_TUPLES_INSERTED:
    case F_PG_STAT_GET_DB_TUPLES_UPDATED:
    case F_PG_STAT_GET_DB_TUPLES_DELETED:
    case F_PG_STAT_GET_DB_BLOCKS_FETCHED:
    case F_PG_STAT_GET_DB_BLOCKS_HIT:
    // How many rows all tenants were given.
    case F_PG_SEQUENCE_LAST_VALUE:
    // Where the next version of a row is, of whatever tenant's.
    case F_CURRTID2:
        return Rule::statistics;
    default:
        return compat::is_statistic_since_16(function) || compat::counts_blocks(function)
                   ? Rule::statistics
                   : Rule::none;
    }
}

constinit context::KnownObjects<bool, 64> known_counters{};

// Of the extension that counts what each statement of a role has read.
bool counts_statements(Oid function) {
    HeapTuple row = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
    if (!HeapTupleIsValid(row))
        return false;
    const auto* form = reinterpret_cast<Form_pg_proc>(GETSTRUCT(row));
    const bool found = strcmp(NameStr(form->proname), "pg_stat_statements") == 0;
    ReleaseSysCache(row);
    return found;
}

// A superuser's SECURITY DEFINER function is a superuser's decision.
bool is_refused_here() {
    return !facts_of(GetUserId()).superuser && applies();
}

// Before it works for a tenant, a session is a driver's, a pooler's or a migration's.
bool is_refused_to_tenants() {
    return context::leftovers::any_tenant() && is_refused_here();
}

void check_notify() {
    if (!is_refused_here())
        return;
    ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                    errmsg("permission denied for function pg_notify"),
                    errdetail("It reaches the channels of every tenant."),
                    errhint("Use tenancy.notify(channel, payload), and LISTEN on what "
                            "tenancy.channel(channel) names.")));
}

void check_signal() {
    if (!is_refused_to_tenants() || has_privs_of_role(GetOuterUserId(), ROLE_PG_SIGNAL_BACKEND))
        return;
    ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                    errmsg("permission denied to end other sessions or their statements"),
                    errdetail("Sessions of one role work for all its tenants."),
                    errhint("Cancel a statement of your own through its connection, as drivers do. "
                            "Roles that supervise get pg_signal_backend.")));
}

void check_activity() {
    if (!is_refused_to_tenants() || has_privs_of_role(GetOuterUserId(), ROLE_PG_READ_ALL_STATS))
        return;
    ereport(ERROR,
            (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
             errmsg("permission denied to see what other sessions do"),
             errdetail("Sessions of one role work for all its tenants, and their statements can "
                       "hold any tenant's values."),
             errhint("Ask from a session that enters no tenant, or as a role that monitors, with "
                     "pg_read_all_stats or pg_monitor.")));
}

bool works_for_tenant() {
    const context::Context* context = context::current();
    return context != nullptr && context->kind == context::Kind::tenant;
}

// Outside a context they are job queues' and migrations'; at standard they pass, for applications
// that are still being adapted. The tenants' own locks are out of their reach in any case.
void check_advisory_lock() {
    if (context::setting::guard() != context::setting::Guard::strict || !works_for_tenant() ||
        !is_refused_here())
        return;
    ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                    errmsg("permission denied for advisory locks that all tenants share"),
                    errdetail("One tenant could hold the key that another one waits for."),
                    errhint("Use tenancy.advisory_xact_lock(key) or "
                            "tenancy.try_advisory_xact_lock(key), whose keys are the tenant's.")));
}

void check_statistics() {
    if (!is_refused_here() || has_privs_of_role(GetOuterUserId(), ROLE_PG_READ_ALL_STATS))
        return;
    ereport(ERROR,
            (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE), errmsg("permission denied for statistics"),
             errdetail("They count the rows of all tenants, exactly for one's own statements."),
             errhint("Roles that monitor get pg_read_all_stats or pg_monitor.")));
}

bool is_reading() {
    return context::is_pinned() && context::pinned().read_only && !IsParallelWorker();
}

// PostgreSQL's own check relies on XactReadOnly, which the end of a savepoint restores; the next
// statement sets it again, but a fast-path call is no statement.
void check_sequence_write() {
    if (is_reading())
        XactReadOnly = true;
}

void check_large_object() {
    if (!is_refused_to_tenants())
        return;
    ereport(ERROR,
            (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE), errmsg("permission denied for large objects"),
             errdetail("They have no row security: every tenant of the role could read and "
                       "write them."),
             errhint("Keep files in a bytea column of a protected table, or in a store of "
                     "files under a key of the tenant's.")));
}

void check_large_object_write() {
    check_large_object();
    if (!is_reading())
        return;
    ereport(ERROR, (errcode(ERRCODE_READ_ONLY_SQL_TRANSACTION),
                    errmsg("cannot write large objects in a read-only tenant context")));
}

} // namespace

void check_installed(Oid function) {
    if (known_counters.find_out(function, counts_statements))
        check_statistics();
}

void check(Oid function) {
    switch (rule_of(function)) {
    case Rule::none:
        break;
    case Rule::notify:
        check_notify();
        break;
    case Rule::signal:
        check_signal();
        break;
    case Rule::activity:
        check_activity();
        break;
    case Rule::advisory_lock:
        check_advisory_lock();
        break;
    case Rule::sequence_write:
        check_sequence_write();
        break;
    case Rule::large_object:
        check_large_object();
        break;
    case Rule::large_object_write:
        check_large_object_write();
        break;
    case Rule::statistics:
        check_statistics();
        break;
    }
}

} // namespace tenancy::guard::function
