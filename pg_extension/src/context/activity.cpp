// See activity.hpp.
#include "context/activity.hpp"

#include <csignal>

#include "bridge/compat.hpp"
#include "bridge/entry.hpp"
#include "bridge/sqlstate.hpp"
#include "context/registry.hpp"
#include "core/sqlstate.hpp"

namespace tenancy::context::activity {

namespace {

struct Slot {
    slock_t mutex;
    Kind kind;
    bool confined; // to the context's tenant: it has written nothing for others, and cannot
    LocalTransactionId transaction;
    pg_uuid_t tenant;
};

constinit Slot* slots = nullptr;
constinit shmem_startup_hook_type previous_startup = nullptr;
constinit shmem_request_hook_type previous_request = nullptr;

int slot_count() {
    return MaxBackends + NUM_AUXILIARY_PROCS + max_prepared_xacts;
}

Size slots_size() {
    return mul_size(sizeof(Slot), slot_count());
}

void request_impl() {
    if (previous_request != nullptr)
        previous_request();
    RequestAddinShmemSpace(slots_size());
}

void startup_impl() {
    if (previous_startup != nullptr)
        previous_startup();
    bool found;
    LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
    slots = static_cast<Slot*>(ShmemInitStruct("tenancy activity", slots_size(), &found));
    if (!found) {
        memset(static_cast<void*>(slots), 0, slots_size());
        for (int i = 0; i < slot_count(); i++)
            SpinLockInit(&slots[i].mutex);
    }
    LWLockRelease(AddinShmemInitLock);
}

extern "C" {
void tenancy_shmem_request(void) {
    entry<request_impl>();
}
void tenancy_shmem_startup(void) {
    entry<startup_impl>();
}
}

Slot& own_slot() {
    return slots[compat::process_number(MyProc)];
}

void write(Kind kind, bool confined, const pg_uuid_t& tenant, LocalTransactionId transaction) {
    Slot& slot = own_slot();
    SpinLockAcquire(&slot.mutex);
    slot.kind = kind;
    slot.confined = confined;
    slot.tenant = tenant;
    slot.transaction = transaction;
    SpinLockRelease(&slot.mutex);
    pg_memory_barrier(); // before this backend looks whether the tenant was suspended meanwhile
}

// What a transaction published, Kind::none when it published nothing.
Slot read(const VirtualTransactionId& transaction, PGPROC* process) {
    Slot copy{};
    if (slots == nullptr)
        return copy;
    Slot& slot = slots[compat::process_number(process)];
    SpinLockAcquire(&slot.mutex);
    copy.kind = slot.kind;
    copy.confined = slot.confined;
    copy.tenant = slot.tenant;
    copy.transaction = slot.transaction;
    SpinLockRelease(&slot.mutex);
    if (copy.transaction != transaction.localTransactionId)
        copy.kind = Kind::none;
    return copy;
}

bool concerns(const VirtualTransactionId& transaction, const pg_uuid_t& tenant, Whom whom) {
    PGPROC* process = compat::process_of(transaction);
    if (process == nullptr)
        return false;
    // A parallel worker writes nothing, and its leader is asked about itself.
    if (process->lockGroupLeader != nullptr && process->lockGroupLeader != process)
        return false;
    if (slots == nullptr)
        return true;
    const Slot slot = read(transaction, process);
    switch (slot.kind) {
    case Kind::none:
        return whom == Whom::any_writer;
    case Kind::all:
        return true;
    case Kind::tenant:
        return memcmp(&slot.tenant, &tenant, sizeof tenant) == 0 ||
               (whom == Whom::any_writer && !slot.confined);
    }
    return true;
}

bool has_ended(const VirtualTransactionId& transaction) {
    return VirtualXactLock(transaction, false);
}

// The transaction of this backend that said it would write nothing.
constinit LocalTransactionId aside = InvalidLocalTransactionId;

// No object has this sub-id, so nobody else locks it.
LOCKTAG waiting_tag() {
    LOCKTAG tag;
    SET_LOCKTAG_OBJECT(tag, MyDatabaseId, ExtensionRelationId, get_extension_oid("tenancy", false),
                       1);
    return tag;
}

// Two that wait here would wait for each other. A transaction that has written nothing, and whose
// commit fails if it does, is nobody's concern: its lock says so. A standby has no writers, and
// nothing checks commits where the library came too late.
void stand_aside(const LOCKTAG& tag) {
    if (!registry::preloaded() || TransactionIdIsValid(GetTopTransactionIdIfAny()) ||
        RecoveryInProgress())
        return;
    aside = compat::own_transaction().localTransactionId;
    (void)LockAcquire(&tag, ShareLock, false, false);
}

bool stands_aside(const VirtualTransactionId& transaction, const LOCKTAG& tag) {
    int count;
    VirtualTransactionId* waiting = GetLockConflicts(&tag, ExclusiveLock, &count);
    bool found = false;
    for (int i = 0; i < count && !found; i++)
        found = VirtualTransactionIdEquals(waiting[i], transaction);
    pfree(waiting);
    return found;
}

// The process that is in the transaction now, or nullptr.
const PGPROC* process_in(const VirtualTransactionId& transaction) {
    const PGPROC* process = compat::process_of(transaction);
    if (process == nullptr)
        return nullptr;
    VirtualTransactionId current;
    GET_VXID_FROM_PGPROC(current, *process);
    return VirtualTransactionIdEquals(current, transaction) ? process : nullptr;
}

// A process hears a signal when it next looks: it may be in its next transaction by then, which
// nobody who sends one can rule out.
void signal(const VirtualTransactionId& transaction, int number) {
    const PGPROC* process = process_in(transaction);
    if (process != nullptr && process->pid != 0)
        kill(process->pid, number);
}

// Time that has passed, with the two moments at which patience ends.
struct Patience {
    TimestampTz began;
    int64 timeout; // milliseconds, 0: none

    int64 elapsed() const { return (GetCurrentTimestamp() - began) / 1000; }
};

constexpr int64 cancel_grace = 500; // milliseconds between cancelling and terminating
constexpr long poll_interval = 10;  // milliseconds

[[noreturn]] void timed_out(int64 timeout, const char* next) {
    ereport(ERROR,
            (tn_errcode(sqlstate::tenant_not_drained),
             errmsg("transactions that may write for the tenant are still open after " INT64_FORMAT
                    " ms",
                    timeout),
             errdetail("The next one is %s.", next),
             errhint("Have it end (pg_stat_activity and pg_prepared_xacts show what is open), or "
                     "wait longer; then call it again.")));
    pg_unreachable();
}

// A prepared transaction keeps the number it had in its session.
char* name_of(const VirtualTransactionId& transaction) {
    const PGPROC* process = process_in(transaction);
    if (process != nullptr)
        return psprintf("that of process %d", process->pid);
    return pstrdup("prepared, or has just ended");
}

// name() says whose transaction is waited for, as a message has it.
template <typename Name>
void pause(const Patience& patience, Name name) {
    if (patience.timeout > 0 && patience.elapsed() > patience.timeout)
        timed_out(patience.timeout, name());
    (void)WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, poll_interval,
                    PG_WAIT_EXTENSION);
    ResetLatch(MyLatch);
    CHECK_FOR_INTERRUPTS();
}

// Ends only a transaction that is known to be the tenant's: without shared memory none is.
bool may_end(const VirtualTransactionId& transaction, const pg_uuid_t& tenant) {
    return slots != nullptr && concerns(transaction, tenant, Whom::in_tenant);
}

void await(const VirtualTransactionId& transaction, const LOCKTAG& tag, bool cancel,
           const Patience& patience) {
    bool terminated = false;
    if (cancel && !has_ended(transaction))
        signal(transaction, SIGINT);
    const int64 cancelled_at = patience.elapsed();
    while (!has_ended(transaction) && !stands_aside(transaction, tag)) {
        if (cancel && !terminated && patience.elapsed() - cancelled_at > cancel_grace) {
            signal(transaction, SIGTERM);
            terminated = true;
        }
        pause(patience, [&] { return name_of(transaction); });
    }
}

bool is_own(const VirtualTransactionId& transaction) {
    const VirtualTransactionId own = compat::own_transaction();
    return VirtualTransactionIdEquals(own, transaction);
}

// A prepared transaction has no session: its xid tells when it has ended.
int64 await_prepared(const Patience& patience) {
    int64 waited = 0;
    if (SPI_connect() != SPI_OK_CONNECT)
        elog(ERROR, "SPI_connect failed");
    if (SPI_execute("SELECT transaction::text::bigint FROM pg_catalog.pg_prepared_xacts"
                    " WHERE database = pg_catalog.current_database()",
                    true, 0) != SPI_OK_SELECT)
        elog(ERROR, "pg_prepared_xacts could not be read");
    const uint64 count = SPI_processed;
    SPITupleTable* table = SPI_tuptable;
    for (uint64 i = 0; i < count; i++) {
        bool is_null;
        const Datum value = SPI_getbinval(table->vals[i], table->tupdesc, 1, &is_null);
        const auto xid = static_cast<TransactionId>(DatumGetInt64(value));
        waited += TransactionIdIsInProgress(xid) ? 1 : 0;
        while (TransactionIdIsInProgress(xid))
            pause(patience, [&] { return psprintf("prepared, with xid %u", xid); });
    }
    SPI_finish();
    return waited;
}

} // namespace

void request_shared_memory() {
    previous_request = shmem_request_hook;
    shmem_request_hook = tenancy_shmem_request;
    previous_startup = shmem_startup_hook;
    shmem_startup_hook = tenancy_shmem_startup;
}

void publish(const Context& context) {
    if (slots == nullptr || IsParallelWorker())
        return;
    const LocalTransactionId own = compat::own_transaction().localTransactionId;
    const Slot& slot = own_slot(); // nobody else writes it
    const bool was_confined = slot.transaction == own && slot.kind == Kind::tenant &&
                              slot.confined &&
                              memcmp(&slot.tenant, &context.tenant, sizeof slot.tenant) == 0;
    const bool confined = (was_confined || !TransactionIdIsValid(GetTopTransactionIdIfAny())) &&
                          !has_bypassrls_privilege(GetSessionUserId()) &&
                          !has_bypassrls_privilege(GetUserId());
    write(context.kind, confined, context.tenant, own);
}

void withdraw() {
    if (slots == nullptr || IsParallelWorker())
        return;
    Slot& slot = own_slot();
    SpinLockAcquire(&slot.mutex);
    slot.kind = Kind::none;
    SpinLockRelease(&slot.mutex);
}

void transaction_ended() {
    aside = InvalidLocalTransactionId;
}

void check_commit() {
    if (aside == InvalidLocalTransactionId ||
        aside != compat::own_transaction().localTransactionId ||
        !TransactionIdIsValid(GetTopTransactionIdIfAny()))
        return;
    ereport(ERROR, (errcode(ERRCODE_READ_ONLY_SQL_TRANSACTION),
                    errmsg("a transaction that has waited for a tenant's writers cannot write"),
                    errdetail("Others who wait did not wait for it."),
                    errhint("Write in a transaction of its own, after this one.")));
}

int64 wait_for(const pg_uuid_t& tenant, Whom whom, bool cancel, int64 timeout) {
    const Patience patience{GetCurrentTimestamp(), timeout};
    const LOCKTAG tag = waiting_tag();
    stand_aside(tag);
    // Vacuum and the building of an index write no rows, and the latter waits in its turn for
    // whoever has looked at rows before.
    constexpr int upkeep = PROC_IS_AUTOVACUUM | PROC_IN_VACUUM | PROC_IN_SAFE_IC;
    int count;
    VirtualTransactionId* running =
        GetCurrentVirtualXIDs(InvalidTransactionId, false, false, upkeep, &count);
    int64 waited = 0;
    // First those that are ended, whatever others keep it waiting; then whoever is left.
    for (const bool end : {true, false}) {
        for (int i = 0; i < count; i++) {
            if (is_own(running[i]) || (end && !(cancel && may_end(running[i], tenant))) ||
                !concerns(running[i], tenant, whom) || has_ended(running[i]) ||
                stands_aside(running[i], tag))
                continue;
            waited++;
            await(running[i], tag, end, patience);
        }
    }
    // No transaction is prepared in a tenant's context.
    if (whom == Whom::in_tenant && slots != nullptr)
        return waited;
    return waited + await_prepared(patience);
}

TENANCY_FUNCTION(wait_for_tenant_writers) {
    const pg_uuid_t* tenant = PG_GETARG_UUID_P(0);
    const bool cancel = PG_GETARG_BOOL(1);
    const int32 timeout = PG_GETARG_INT32(2);
    const auto whom = PG_GETARG_BOOL(3) ? Whom::any_writer : Whom::in_tenant;
    PG_RETURN_INT64(wait_for(*tenant, whom, cancel, timeout));
}

} // namespace tenancy::context::activity
