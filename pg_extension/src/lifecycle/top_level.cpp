// Procedures that commit cannot run where a transaction block or a function is around them.
// PostgreSQL says "invalid transaction termination" then; this says it before anything is done.
// SQL: sql/135_drain.sql.
#include "bridge/entry.hpp"

TENANCY_FUNCTION(require_top_level) {
    if (SPI_inside_nonatomic_context())
        PG_RETURN_VOID();
    ereport(ERROR, (errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
                    errmsg("%s cannot run inside a transaction block or a function",
                           text_to_cstring(PG_GETARG_TEXT_PP(0))),
                    errdetail("It commits, and waits for other transactions, which must see what "
                              "was done before it."),
                    errhint("Commit first, then CALL it as a statement of its own.")));
    PG_RETURN_VOID();
}
