// See leftovers.hpp.
#include "context/leftovers.hpp"

#include "bridge/sqlstate.hpp"
#include "context/setting.hpp"
#include "core/sqlstate.hpp"

namespace tenancy::context::leftovers {

namespace {

struct Leftovers {
    bool known; // a tenant worked in this session before
    Kind kind;
    pg_uuid_t tenant;
    bool prepared;
    bool listening; // stays set: the UNLISTEN is undone when the transaction is
    bool cleared;   // by this transaction
};
constinit Leftovers left{};

[[noreturn]] void cannot_clear(const char* what) {
    ereport(ERROR,
            (tn_errcode(sqlstate::session_not_clean),
             errmsg("this session still holds %s of another tenant", what), errhint("Reconnect.")));
    pg_unreachable();
}

// Statements of SQL's PREPARE only: the driver's own are names of the protocol and hold no data.
void drop_prepared() {
    if (SPI_connect() != SPI_OK_CONNECT)
        cannot_clear("prepared statements");
    const int done =
        SPI_execute("SELECT name FROM pg_catalog.pg_prepared_statements WHERE from_sql", true, 0);
    if (done != SPI_OK_SELECT)
        cannot_clear("prepared statements");
    for (uint64 i = 0; i < SPI_processed; i++)
        DropPreparedStatement(SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1), false);
    SPI_finish();
}

} // namespace

void note_prepared() {
    left.prepared = true;
}

void note_listen() {
    left.listening = true;
}

void rolled_back() {
    // What clear() removed may be back, and what came after it may have stayed.
    if (left.cleared)
        left.known = false;
}

void transaction_ended() {
    left.cleared = false;
}

void clear(const Context& next) {
    const bool same = left.known && left.kind == next.kind &&
                      memcmp(&left.tenant, &next.tenant, sizeof left.tenant) == 0;
    // A test suite that works for several tenants in one session keeps its own state there.
    if (same || setting::test_mode())
        return;
    ResetTempTableNamespace();
    ResetSequenceCaches();
    if (left.prepared)
        drop_prepared();
    if (left.listening)
        Async_UnlistenAll();
    LockReleaseSession(USER_LOCKMETHOD);
    left.known = true;
    left.kind = next.kind;
    left.tenant = next.tenant;
    left.prepared = false;
    left.cleared = true;
}

} // namespace tenancy::context::leftovers
