// tenancy.run_as_owner(), run_function_as_owner(): see run_as_owner.hpp.
#include "isolation/run_as_owner.hpp"

#include <optional>

#include "bridge/call.hpp"
#include "bridge/entry.hpp"
#include "context/state.hpp"
#include "isolation/forced.hpp"

namespace tenancy::isolation {

namespace {

// The innermost command of the extension's own.
struct Work {
    bool is_ddl;
    bool in_tenant; // in the context of a tenant, whatever its state
    context::Level level;
};
constinit Work work{};

// While alive, it runs.
class InternalWork {
public:
    InternalWork(bool is_ddl, bool in_tenant) noexcept : outer_(work) {
        work = {is_ddl, in_tenant, context::level()};
    }
    InternalWork(const InternalWork&) = delete;
    InternalWork& operator=(const InternalWork&) = delete;
    ~InternalWork() { work = outer_; }

private:
    Work outer_;
};

bool is_ddl(const char* sql) {
    List* statements = raw_parser(sql, RAW_PARSE_DEFAULT);
    ListCell* cell;
    foreach (cell, statements) {
        switch (nodeTag(lfirst_node(RawStmt, cell)->stmt)) {
        case T_SelectStmt:
        case T_InsertStmt:
        case T_UpdateStmt:
        case T_DeleteStmt:
            return false;
        default:
            break;
        }
    }
    return true;
}

void fire_deferred_triggers() {
    ConstraintsSetStmt* all = makeNode(ConstraintsSetStmt);
    all->constraints = NIL;
    all->deferred = false;
    AfterTriggerSetState(all);
}

// What the caller's own statements left deferred would otherwise fire as the owner. It fires as at
// COMMIT: as the outer user, who must not change on the way.
void fire_callers_triggers() {
    Oid user;
    int security;
    GetUserIdAndSecContext(&user, &security);
    SetUserIdAndSecContext(GetOuterUserId(), security | SECURITY_LOCAL_USERID_CHANGE);
    fire_deferred_triggers();
    SetUserIdAndSecContext(user, security);
}

void set_for_command(const char* name, const char* value) {
    (void)set_config_option(name, value, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0,
                            false);
}

int64 result_of_query() {
    SPITupleTable* table = SPI_tuptable;
    if (table == nullptr || SPI_processed != 1 || table->tupdesc->natts != 1 ||
        TupleDescAttr(table->tupdesc, 0)->atttypid != INT8OID)
        return static_cast<int64>(SPI_processed);
    bool null = false;
    Datum value = SPI_getbinval(table->vals[0], table->tupdesc, 1, &null);
    return null ? 0 : DatumGetInt64(value);
}

int64 execute(const char* sql) {
    SPI_connect();
    int code = SPI_execute(sql, false, 0);
    if (code < 0)
        elog(ERROR, "SPI_execute failed: %s", SPI_result_code_string(code));
    int64 result = result_of_query();
    SPI_finish();
    return result;
}

} // namespace

bool internal_ddl_begins(bool is_part) {
    context::Level expected = work.level;
    expected.utility += is_part ? 1 : 0;
    return work.is_ddl && context::level() == expected;
}

bool internal_ddl_runs() {
    return work.is_ddl && context::depth.utility <= work.level.utility + 1;
}

bool internal_work_begins() {
    return (work.is_ddl || work.in_tenant) && context::level() == work.level;
}

Oid owner_of(Oid relation) {
    HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relation));
    if (!HeapTupleIsValid(tuple))
        ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE),
                        errmsg("relation with OID %u does not exist", relation)));
    const Oid owner = reinterpret_cast<Form_pg_class>(GETSTRUCT(tuple))->relowner;
    ReleaseSysCache(tuple);
    return owner;
}

int64 run_as_owner(const OwnerCommand& command) {
    // The number of a savepoint of settings, and who to be again: put back by hand on success, by
    // the abort otherwise.
    Oid user;
    int security;
    GetUserIdAndSecContext(&user, &security);

    fire_callers_triggers();
    const bool ddl = is_ddl(command.sql);
    const int settings = NewGUCNestLevel();
    SetUserIdAndSecContext(command.role, security | SECURITY_LOCAL_USERID_CHANGE |
                                             SECURITY_RESTRICTED_OPERATION |
                                             (command.no_force ? SECURITY_NOFORCE_RLS : 0));
    set_for_command("search_path", "pg_catalog, pg_temp");
    set_for_command("row_security", "on");
    if (ddl)
        set_for_command("client_min_messages", "warning");

    int64 result = 0;
    {
        const InternalWork passes(ddl, command.tenant != nullptr);
        std::optional<context::InternalContext> tenant;
        if (command.tenant != nullptr)
            tenant.emplace(*command.tenant);
        result = pg_call([&] { return execute(command.sql); });
        const ForcedRowSecurity forced;
        pg_call([] { fire_deferred_triggers(); });
    }

    AtEOXact_GUC(false, settings);
    SetUserIdAndSecContext(user, security);
    return result;
}

} // namespace tenancy::isolation

namespace tenancy {

namespace {

// The call of a user's function: with the tenant's id as argument when it takes a uuid.
char* call_of_function(Oid function, const pg_uuid_t* tenant, Oid* owner) {
    HeapTuple tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
    if (!HeapTupleIsValid(tuple))
        ereport(ERROR, (errcode(ERRCODE_UNDEFINED_FUNCTION),
                        errmsg("function with OID %u does not exist", function)));
    auto* form = reinterpret_cast<Form_pg_proc>(GETSTRUCT(tuple));
    const bool takes_tenant = form->pronargs == 1 && form->proargtypes.values[0] == UUIDOID;
    if (form->prokind != PROKIND_FUNCTION || (form->pronargs != 0 && !takes_tenant))
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("\"%s\" must be a function without arguments or with one uuid",
                               NameStr(form->proname)),
                        errhint("The uuid it may take is the id of the tenant it is called for.")));
    *owner = form->proowner;
    char* name =
        quote_qualified_identifier(get_namespace_name(form->pronamespace), NameStr(form->proname));
    ReleaseSysCache(tuple);
    if (!takes_tenant)
        return psprintf("SELECT %s()", name);
    return psprintf("SELECT %s('%s'::pg_catalog.uuid)", name,
                    DatumGetCString(DirectFunctionCall1(uuid_out, UUIDPGetDatum(tenant))));
}

} // namespace

TENANCY_FUNCTION(run_as_owner) {
    if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
        ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
                        errmsg("relation and command must not be null")));
    isolation::OwnerCommand command;
    command.role = isolation::owner_of(PG_GETARG_OID(0));
    command.sql = text_to_cstring(PG_GETARG_TEXT_PP(1));
    command.tenant = PG_ARGISNULL(2) ? nullptr : PG_GETARG_UUID_P(2);
    command.no_force = !PG_ARGISNULL(3) && PG_GETARG_BOOL(3);
    PG_RETURN_INT64(isolation::run_as_owner(command));
}

TENANCY_FUNCTION(run_as_role) {
    isolation::OwnerCommand command;
    command.role = PG_GETARG_OID(0);
    command.sql = text_to_cstring(PG_GETARG_TEXT_PP(1));
    command.tenant = PG_GETARG_UUID_P(2);
    command.no_force = false;
    PG_RETURN_INT64(isolation::run_as_owner(command));
}

TENANCY_FUNCTION(run_function_as_owner) {
    isolation::OwnerCommand command;
    command.tenant = PG_GETARG_UUID_P(1);
    command.sql = call_of_function(PG_GETARG_OID(0), command.tenant, &command.role);
    command.no_force = false;
    (void)isolation::run_as_owner(command);
    PG_RETURN_VOID();
}

TENANCY_FUNCTION(internal_ddl_runs) {
    PG_RETURN_BOOL(isolation::internal_ddl_runs());
}

} // namespace tenancy
