// See preload.hpp.
#include "context/preload.hpp"

#include "bridge/compat.hpp"

namespace tenancy::context::preload {

namespace {

// The command that leaves all but this library in the database's own list; no row where it is not
// in it. Elements of such a list may be quoted.
constexpr const char* leave_query =
    "SELECT CASE WHEN rest IS NULL"
    " THEN pg_catalog.format('ALTER DATABASE %I RESET session_preload_libraries',"
    "                        pg_catalog.current_database())"
    " ELSE pg_catalog.format('ALTER DATABASE %I SET session_preload_libraries = %s',"
    "                        pg_catalog.current_database(), rest) END"
    " FROM (SELECT pg_catalog.string_agg(pg_catalog.quote_literal(name), ', ' ORDER BY place)"
    "              FILTER (WHERE name <> 'tenancy') AS rest,"
    "              pg_catalog.bool_or(name = 'tenancy') AS present"
    "       FROM pg_catalog.pg_db_role_setting s"
    "       CROSS JOIN LATERAL pg_catalog.unnest(s.setconfig) AS setting"
    "       CROSS JOIN LATERAL pg_catalog.regexp_split_to_table("
    "           pg_catalog.substr(setting, pg_catalog.length('session_preload_libraries=') + 1), "
    "',')"
    "           WITH ORDINALITY AS element(quoted, place)"
    "       CROSS JOIN LATERAL pg_catalog.btrim(element.quoted, ' \"') AS name"
    "       WHERE s.setdatabase = (SELECT oid FROM pg_catalog.pg_database"
    "                              WHERE datname = pg_catalog.current_database())"
    "         AND s.setrole = 0 AND setting LIKE 'session_preload_libraries=%') AS list"
    " WHERE present";

void check(int got, int expected) {
    if (got != expected)
        elog(ERROR, "session_preload_libraries of this database could not be read or set");
}

} // namespace

bool in_time() {
    return process_shared_preload_libraries_in_progress || InitializingParallelWorker ||
           compat::backend_is_starting();
}

void extension_dropped(Oid extension) {
    if (extension != get_extension_oid("tenancy", true))
        return;
    // A superuser may drop it with any search_path: nobody's operators are to run then.
    const int settings = NewGUCNestLevel();
    (void)set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION,
                            GUC_ACTION_SAVE, true, 0, false);
    check(SPI_connect(), SPI_OK_CONNECT);
    check(SPI_execute(leave_query, true, 1), SPI_OK_SELECT);
    if (SPI_processed == 1)
        check(SPI_execute(SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1), false, 0),
              SPI_OK_UTILITY);
    SPI_finish();
    AtEOXact_GUC(false, settings);
}

} // namespace tenancy::context::preload
