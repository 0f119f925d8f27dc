// tenancy.run_lookup: one query over all tenants' rows of a table. sql/220_lookup.sql.
#include "bridge/entry.hpp"
#include "isolation/run_as_owner.hpp"

namespace {

constexpr int first_value = 2; // after relation and query

void execute(FunctionCallInfo fcinfo, const char* query) {
    const int count = PG_NARGS() - first_value;
    Oid* types = static_cast<Oid*>(palloc(sizeof(Oid) * count));
    Datum* values = static_cast<Datum*>(palloc(sizeof(Datum) * count));
    for (int i = 0; i < count; i++) {
        types[i] = get_fn_expr_argtype(fcinfo->flinfo, first_value + i);
        values[i] = PG_GETARG_DATUM(first_value + i);
    }
    const int done = SPI_execute_with_args(query, count, types, values, nullptr, true, 0);
    if (done != SPI_OK_SELECT)
        elog(ERROR, "lookup failed: %s", SPI_result_code_string(done));
}

// The table's columns may have changed since the function was made.
void require_types(TupleDesc found, TupleDesc expected) {
    bool same = found->natts == expected->natts;
    for (int i = 0; same && i < found->natts; i++)
        same = TupleDescAttr(found, i)->atttypid == TupleDescAttr(expected, i)->atttypid;
    if (!same)
        ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
                        errmsg("the table's columns changed since this lookup was allowed"),
                        errhint("Drop the function and call tenancy.allow_lookup again.")));
}

void keep_rows(FunctionCallInfo fcinfo) {
    auto* result = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
    require_types(SPI_tuptable->tupdesc, result->setDesc);
    for (uint64 i = 0; i < SPI_processed; i++)
        tuplestore_puttuple(result->setResult, SPI_tuptable->vals[i]);
}

} // namespace

// As the owner, to whom FORCE ROW LEVEL SECURITY does not apply here, and restricted: an index
// expression or a type's function that runs on the way has the owner's rights and no other.
TENANCY_FUNCTION(run_lookup) {
    const Oid relation = PG_GETARG_OID(0);
    const char* query = text_to_cstring(PG_GETARG_TEXT_PP(1));
    InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);

    Oid user;
    int security;
    GetUserIdAndSecContext(&user, &security);
    const int settings = NewGUCNestLevel();
    SetUserIdAndSecContext(tenancy::isolation::owner_of(relation),
                           security | SECURITY_LOCAL_USERID_CHANGE | SECURITY_RESTRICTED_OPERATION |
                               SECURITY_NOFORCE_RLS);
    if (SPI_connect() != SPI_OK_CONNECT)
        elog(ERROR, "SPI_connect failed");
    execute(fcinfo, query);
    keep_rows(fcinfo);
    SPI_finish();
    AtEOXact_GUC(false, settings);
    SetUserIdAndSecContext(user, security);
    return static_cast<Datum>(0);
}
