// Advisory locks that belong to one tenant: their numbers are a keyed hash of tenant and key, in a
// space of PostgreSQL's advisory locks that no function of its own reaches. See
// docs/decisions/advisory-locks.md.
#include <sodium.h>

#include "bridge/entry.hpp"
#include "context/registry_scan.hpp"
#include "context/state.hpp"

namespace tenancy::guard::advisory_lock {

namespace {

namespace registry = context::registry;

constexpr size_t secret_length = crypto_generichash_KEYBYTES;

// PostgreSQL's own functions set field 4 to 1 or 2; above this bit it is the hash's last part.
constexpr uint16 own_space = 0x4000;

// palloc'd. Read anew for each lock: an extension that was dropped and created has another one, and
// two sessions with different ones would both hold "the" lock.
const unsigned char* read_secret() {
    const registry::Scan scan =
        registry::begin("advisory_lock_secret", "advisory_lock_secret_pkey", nullptr, 0);
    HeapTuple row = registry::next(scan);
    bool is_null = true;
    const Datum value = HeapTupleIsValid(row) ? registry::column(scan, row, 2, is_null) : 0;
    bytea* secret = is_null ? nullptr : DatumGetByteaPCopy(value);
    registry::end(scan);
    if (secret == nullptr || VARSIZE_ANY_EXHDR(secret) != secret_length)
        ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                        errmsg("the secret of the tenants' advisory locks is missing"),
                        errhint("A superuser makes a new one: INSERT INTO "
                                "tenancy.advisory_lock_secret DEFAULT VALUES.")));
    return reinterpret_cast<unsigned char*>(VARDATA_ANY(secret));
}

LOCKTAG tag_of(const char* key, size_t length) {
    const context::Context& context = context::require_tenant();
    unsigned char hash[crypto_generichash_BYTES_MIN];
    crypto_generichash_state state;
    crypto_generichash_init(&state, read_secret(), secret_length, sizeof hash);
    crypto_generichash_update(&state, context.tenant.data, UUID_LEN);
    crypto_generichash_update(&state, reinterpret_cast<const unsigned char*>(key), length);
    crypto_generichash_final(&state, hash, sizeof hash);
    uint32 first;
    uint32 second;
    uint16 last;
    memcpy(&first, hash, sizeof first);
    memcpy(&second, hash + 4, sizeof second);
    memcpy(&last, hash + 8, sizeof last);
    LOCKTAG tag;
    SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, first, second, own_space | (last & (own_space - 1)));
    return tag;
}

void check_arguments(FunctionCallInfo fcinfo) {
    // PostgreSQL's own functions return NULL then, and lock nothing.
    if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
        ereport(ERROR,
                (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("an advisory lock needs a key"),
                 errhint("Neither the key nor \"shared\" may be NULL.")));
    // A worker's lock would end with the worker.
    if (IsInParallelMode())
        ereport(ERROR, (errcode(ERRCODE_INVALID_TRANSACTION_STATE),
                        errmsg("cannot take an advisory lock during a parallel operation"),
                        errhint("Mark the function that takes it PARALLEL UNSAFE.")));
}

bool acquire(const LOCKTAG& tag, bool shared, bool wait) {
    return LockAcquire(&tag, shared ? ShareLock : ExclusiveLock, false, !wait) !=
           LOCKACQUIRE_NOT_AVAIL;
}

bool lock_text(FunctionCallInfo fcinfo, bool wait) {
    check_arguments(fcinfo);
    const text* key = PG_GETARG_TEXT_PP(0);
    return acquire(tag_of(VARDATA_ANY(key), VARSIZE_ANY_EXHDR(key)), PG_GETARG_BOOL(1), wait);
}

// The lock of the number's decimal text: a driver may send a number as either.
bool lock_number(FunctionCallInfo fcinfo, bool wait) {
    check_arguments(fcinfo);
    char key[MAXINT8LEN + 1];
    const int length = pg_lltoa(PG_GETARG_INT64(0), key);
    return acquire(tag_of(key, static_cast<size_t>(length)), PG_GETARG_BOOL(1), wait);
}

} // namespace

} // namespace tenancy::guard::advisory_lock

namespace tenancy {

using guard::advisory_lock::lock_number;
using guard::advisory_lock::lock_text;

TENANCY_FUNCTION(advisory_xact_lock_text) {
    lock_text(fcinfo, true);
    PG_RETURN_VOID();
}

TENANCY_FUNCTION(advisory_xact_lock_bigint) {
    lock_number(fcinfo, true);
    PG_RETURN_VOID();
}

TENANCY_FUNCTION(try_advisory_xact_lock_text) {
    PG_RETURN_BOOL(lock_text(fcinfo, false));
}

TENANCY_FUNCTION(try_advisory_xact_lock_bigint) {
    PG_RETURN_BOOL(lock_number(fcinfo, false));
}

} // namespace tenancy
