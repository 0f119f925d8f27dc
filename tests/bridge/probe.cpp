// A library for tests only: SQL functions that raise and catch across the boundary between C++ and
// PostgreSQL in every way the bridge knows. Built by `make build/bridge_probe.so` with the
// extension's own flags; tests/bridge/test_bridge.py calls it.
#include <new>
#include <stdexcept>
#include <string>

#include "core/error.hpp"
#include "bridge/call.hpp"
#include "bridge/entry.hpp"
#include "bridge/postgres.hpp"

extern "C" {
PG_MODULE_MAGIC;
}

using namespace tenancy; // NOLINT: a test

namespace {

constinit int64 made = 0;
constinit int64 destroyed = 0;

// Counts its own making and destruction, and owns memory of the C++ heap.
class Tracked {
public:
    Tracked() : text_(64, 'x') { made++; }
    Tracked(const Tracked&) = delete;
    Tracked& operator=(const Tracked&) = delete;
    ~Tracked() { destroyed++; }

private:
    std::string text_;
};

char* text_argument(FunctionCallInfo fcinfo, int number) {
    return text_to_cstring(PG_GETARG_TEXT_PP(number));
}

void run_sql(const char* sql) {
    SPI_connect();
    SPI_execute(sql, false, 0);
    SPI_finish();
}

void run_guarded(const char* sql) {
    const Tracked tracked;
    pg_call([&] { run_sql(sql); });
}

struct Places {
    sigjmp_buf* exceptions;
    ErrorContextCallback* callbacks;
    MemoryContext memory;

    static Places now() { return {PG_exception_stack, error_context_stack, CurrentMemoryContext}; }
    bool operator==(const Places&) const = default;
};

// Whether a pg_call that failed put everything back where it was. To go on after the error takes a
// subtransaction; its end is the only cleaning up of PostgreSQL's side.
bool comes_back(const char* sql) {
    const Places before = Places::now();
    BeginInternalSubTransaction(nullptr);
    MemoryContextSwitchTo(before.memory);
    ResourceOwner inner = CurrentResourceOwner;
    bool same = false;
    bool caught = false;
    try {
        const Tracked tracked;
        pg_call([&] { run_sql(sql); });
    } catch (const pg_error& error) {
        same = Places::now() == before;
        caught = error.data != nullptr && error.data->sqlerrcode != 0;
    }
    Assert(inner == CurrentResourceOwner);
    (void)inner;
    RollbackAndReleaseCurrentSubTransaction();
    MemoryContextSwitchTo(before.memory);
    return same && caught;
}

} // namespace

TENANCY_FUNCTION(probe_made) {
    PG_RETURN_INT64(made);
}

TENANCY_FUNCTION(probe_alive) {
    PG_RETURN_INT64(made - destroyed);
}

// C++ -> PostgreSQL: a domain error.
TENANCY_FUNCTION(probe_throw_error) {
    std::string message = text_argument(fcinfo, 0);
    const Tracked tracked;
    throw Error("TN011", std::move(message), "Do something else.", "There is a detail.");
}

TENANCY_FUNCTION(probe_throw_bad_alloc) {
    const Tracked tracked;
    throw std::bad_alloc();
}

TENANCY_FUNCTION(probe_allocate_too_much) {
    const Tracked tracked;
    volatile std::size_t size = std::size_t{1} << 60;
    std::string too_long(size, 'x');
    PG_RETURN_INT64(static_cast<int64>(too_long.size()));
}

TENANCY_FUNCTION(probe_throw_standard) {
    const Tracked tracked;
    throw std::out_of_range("not in range");
}

TENANCY_FUNCTION(probe_throw_unknown) {
    const Tracked tracked;
    throw 42; // NOLINT
}

// PostgreSQL -> C++ -> PostgreSQL: what the SQL raises passes an object with a destructor.
TENANCY_FUNCTION(probe_execute) {
    const Tracked tracked;
    const char* sql = text_argument(fcinfo, 0);
    pg_call([&] { run_sql(sql); });
    PG_RETURN_VOID();
}

// The same, `depth` times inside itself by SPI: entry, pg_call, SPI, entry, pg_call, SPI, ...
TENANCY_FUNCTION(probe_nest) {
    const Tracked tracked;
    const int32 depth = PG_GETARG_INT32(0);
    const char* sql = text_argument(fcinfo, 1);
    pg_call([&] {
        if (depth == 0)
            run_sql(sql);
        else
            run_sql(psprintf("SELECT probe.nest(%d, %s)", depth - 1, quote_literal_cstr(sql)));
    });
    PG_RETURN_VOID();
}

// The same without SPI between the two: a hook that PostgreSQL calls inside a pg_call.
TENANCY_FUNCTION(probe_nest_directly) {
    const Tracked outer;
    const char* sql = text_argument(fcinfo, 0);
    pg_call([&] { entry<run_guarded>(sql); });
    PG_RETURN_VOID();
}

// A guarded loop that only PostgreSQL can end.
TENANCY_FUNCTION(probe_loop) {
    const Tracked tracked;
    for (;;)
        pg_call([] {
            pg_usleep(100);
            CHECK_FOR_INTERRUPTS();
        });
}

TENANCY_FUNCTION(probe_comes_back) {
    PG_RETURN_BOOL(comes_back(text_argument(fcinfo, 0)));
}

// Where errors would land and who adds to their CONTEXT, as a number to compare.
TENANCY_FUNCTION(probe_places) {
    const Places now = Places::now();
    PG_RETURN_TEXT_P(cstring_to_text(
        psprintf("%p %p", static_cast<void*>(now.exceptions), static_cast<void*>(now.callbacks))));
}
