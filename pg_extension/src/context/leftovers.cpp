// See leftovers.hpp.
#include "context/leftovers.hpp"

#include "bridge/sqlstate.hpp"
#include "context/setting.hpp"
#include "core/sqlstate.hpp"

namespace tenancy::context::leftovers {

namespace {

struct Leftovers {
    bool any;   // a tenant was ever entered in this session
    bool known; // a tenant worked in this session before
    Kind kind;
    pg_uuid_t tenant;
    bool prepared;
    bool held;      // a cursor WITH HOLD
    bool listening; // stays set: the UNLISTEN is undone when the transaction is
    bool cleared;   // by this transaction
    bool clearing;  // right now
};
constinit Leftovers left{};

[[noreturn]] void cannot_clear(const char* what) {
    ereport(ERROR,
            (tn_errcode(sqlstate::session_not_clean),
             errmsg("this session still holds %s of another tenant", what), errhint("Reconnect.")));
    pg_unreachable();
}

using Drop = void (*)(const char* name);

// Calls `drop` for each name that the query returns.
void drop_each(const char* query, const char* what, Drop drop) {
    if (SPI_connect() != SPI_OK_CONNECT)
        cannot_clear(what);
    if (SPI_execute(query, true, 0) != SPI_OK_SELECT)
        cannot_clear(what);
    const uint64 count = SPI_processed;
    SPITupleTable* names = SPI_tuptable;
    for (uint64 i = 0; i < count; i++)
        drop(SPI_getvalue(names->vals[i], names->tupdesc, 1));
    SPI_finish();
}

// Statements of SQL's PREPARE only: the driver's own are names of the protocol and hold no data.
void drop_prepared() {
    drop_each("SELECT name FROM pg_catalog.pg_prepared_statements WHERE from_sql",
              "prepared statements", [](const char* name) { DropPreparedStatement(name, false); });
}

// Those of earlier transactions: their rows are here already, whatever the tables are now.
void close_held() {
    drop_each("SELECT name FROM pg_catalog.pg_cursors WHERE is_holdable", "cursors",
              [](const char* name) {
                  Portal portal = GetPortalByName(name);
                  if (PortalIsValid(portal) && portal->createSubid == InvalidSubTransactionId)
                      PortalDrop(portal, false);
              });
}

} // namespace

void note_prepared() {
    left.prepared = true;
}

void note_held() {
    left.held = true;
}

void note_listen() {
    left.listening = true;
}

bool any_tenant() {
    return left.any;
}

bool is_clearing() {
    return left.clearing;
}

void rolled_back() {
    left.clearing = false;
    // What clear() removed may be back, and what came after it may have stayed.
    if (left.cleared)
        left.known = false;
}

void transaction_ended() {
    left.cleared = false;
    left.clearing = false;
}

void clear(const Context& next) {
    left.any = true;
    const bool same = left.known && left.kind == next.kind &&
                      memcmp(&left.tenant, &next.tenant, sizeof left.tenant) == 0;
    // A test suite that works for several tenants in one session keeps its own state there.
    if (same || setting::test_mode())
        return;
    left.clearing = true;
    ResetTempTableNamespace();
    ResetSequenceCaches();
    if (left.prepared)
        drop_prepared();
    if (left.held)
        close_held();
    if (left.listening)
        Async_UnlistenAll();
    LockReleaseSession(USER_LOCKMETHOD);
    left.known = true;
    left.kind = next.kind;
    left.tenant = next.tenant;
    left.prepared = false;
    left.held = false;
    left.cleared = true;
    left.clearing = false;
}

} // namespace tenancy::context::leftovers
