// CALL tenancy.for_each_tenant: a command in every tenant's context in turn, a transaction each.
// SQL: sql/230_for_each_tenant.sql. Plain C style: no destructor may be pending across commits.
#include "bridge/entry.hpp"
#include "context/authority.hpp"
#include "context/errors.hpp"
#include "context/registry.hpp"
#include "context/setting.hpp"
#include "context/state.hpp"

namespace tenancy::context {

namespace {

constexpr int report_every = 100; // tenants

// Outlives the commits, so it lies in the portal's memory.
struct Job {
    const char* command;
    text* name; // nullptr: not recorded
    pg_uuid_t* tenants;
    int count;
};

void require_top_level(FunctionCallInfo fcinfo) {
    const bool has_context = fcinfo->context != nullptr && IsA(fcinfo->context, CallContext);
    if (has_context && !castNode(CallContext, fcinfo->context)->atomic)
        return;
    ereport(ERROR,
            (errcode(ERRCODE_INVALID_TRANSACTION_TERMINATION),
             errmsg("tenancy.for_each_tenant commits after each tenant and cannot run inside a "
                    "transaction block or function"),
             errhint("CALL it as a statement of its own.")));
}

// Under row-level security the command sees one tenant's rows; without, it would see all of them
// each time.
void require_role() {
    const Oid role = GetOuterUserId();
    if (GetUserId() != role || has_bypassrls_privilege(role))
        ereport(ERROR,
                (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                 errmsg("role \"%s\" bypasses row-level security and would touch all tenants' rows "
                        "each time",
                        GetUserNameFromId(role, false)),
                 errhint("Call it as a role that has a grant for '*' instead.")));
    constexpr pg_uuid_t nobody{};
    registry::Grant grant;
    if (!registry::find_grant(role, nobody, grant))
        ereport(ERROR,
                (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                 errmsg("role \"%s\" has no grant for all tenants", GetUserNameFromId(role, false)),
                 errhint("An operator calls tenancy.grant_access(role, '*').")));
}

bool call_own(const char* sql, int count, Oid* types, Datum* values) {
    const int done = SPI_execute_with_args(sql, count, types, values, nullptr, false, 1);
    if (done != SPI_OK_SELECT || SPI_processed != 1)
        elog(ERROR, "the progress of the job could not be read or written");
    bool is_null;
    const Datum answer = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &is_null);
    SPI_freetuptable(SPI_tuptable);
    return DatumGetBool(answer);
}

// The functions are the extension owner's: callable by nobody else.
bool call_as_owner(const char* sql, int count, Oid* types, Datum* values) {
    Oid user;
    int security;
    GetUserIdAndSecContext(&user, &security);
    SetUserIdAndSecContext(BOOTSTRAP_SUPERUSERID, security | SECURITY_LOCAL_USERID_CHANGE);
    const bool answer = call_own(sql, count, types, values);
    SetUserIdAndSecContext(user, security);
    return answer;
}

bool is_finished(const Job& job, const pg_uuid_t& tenant) {
    if (job.name == nullptr)
        return false;
    Oid types[] = {TEXTOID, UUIDOID};
    Datum values[] = {PointerGetDatum(job.name), UUIDPGetDatum(&tenant)};
    return call_as_owner("SELECT tenancy.job_finished($1, $2)", 2, types, values);
}

void record(const Job& job, const pg_uuid_t& tenant, uint64 rows) {
    if (job.name == nullptr)
        return;
    Oid types[] = {TEXTOID, UUIDOID, INT8OID};
    Datum values[] = {PointerGetDatum(job.name), UUIDPGetDatum(&tenant),
                      Int64GetDatum(static_cast<int64>(rows))};
    (void)call_as_owner("SELECT true FROM tenancy.finish_job($1, $2, $3)", 3, types, values);
}

void enter(const pg_uuid_t& tenant) {
    const char* raw = DatumGetCString(DirectFunctionCall1(uuid_out, UUIDPGetDatum(&tenant)));
    authority::admit(authority::resolve(raw, authority::Scope::transaction), raw);
    setting::assign(raw, false);
}

void connect() {
    if (SPI_connect_ext(SPI_OPT_NONATOMIC) != SPI_OK_CONNECT)
        elog(ERROR, "SPI_connect failed");
}

// False when the job had finished the tenant before. Connected for one tenant at a time: what the
// command left in memory goes with the connection.
bool run_for(const Job& job, const pg_uuid_t& tenant) {
    connect();
    const bool finished = is_finished(job, tenant);
    if (!finished) {
        enter(tenant);
        const int done = SPI_execute(job.command, false, 0);
        if (done < 0)
            elog(ERROR, "command failed: %s", SPI_result_code_string(done));
        record(job, tenant, SPI_processed);
        SPI_commit();
    }
    SPI_finish();
    return !finished;
}

Job make_job(FunctionCallInfo fcinfo) {
    MemoryContext previous = MemoryContextSwitchTo(PortalContext);
    Job job{};
    job.command = text_to_cstring(PG_GETARG_TEXT_PP(0));
    job.name = PG_ARGISNULL(1) ? nullptr : PG_GETARG_TEXT_P_COPY(1);
    job.tenants = registry::open_tenants(job.count);
    MemoryContextSwitchTo(previous);
    return job;
}

} // namespace

TENANCY_FUNCTION(for_each_tenant) {
    require_top_level(fcinfo);
    require_role();
    if (PG_ARGISNULL(0))
        ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("command is null")));

    const Job job = make_job(fcinfo);
    connect();
    SPI_commit();
    SPI_finish();
    int done = 0;
    for (int i = 0; i < job.count; i++) {
        CHECK_FOR_INTERRUPTS();
        if (run_for(job, job.tenants[i]) && ++done % report_every == 0)
            ereport(NOTICE, (errmsg("%d of %d tenants done", i + 1, job.count)));
    }
    PG_RETURN_VOID();
}

} // namespace tenancy::context
