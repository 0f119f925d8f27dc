// See hidden_rows.hpp.
#include "isolation/hidden_rows.hpp"

#include "isolation/forced.hpp"

namespace tenancy::isolation {

namespace {

constinit bool seeing = false;
constinit needs_fmgr_hook_type previous_needs_hook = nullptr;
constinit fmgr_hook_type previous_hook = nullptr;

// What one call of a function keeps between its start and its end.
struct Call {
    bool forces; // FORCE was off when it began, and is on inside it
    Datum previous;
};

Call* call_of(const FmgrInfo* function, Datum* argument) {
    auto* call = reinterpret_cast<Call*>(DatumGetPointer(*argument));
    if (call == nullptr) {
        call = static_cast<Call*>(MemoryContextAllocZero(function->fn_mcxt, sizeof(Call)));
        *argument = PointerGetDatum(call);
    }
    return call;
}

void on_call(FmgrHookEventType event, FmgrInfo* function, Datum* argument) {
    Call* call = call_of(function, argument);
    if (event == FHET_START) {
        call->forces = InNoForceRLSOperation();
        if (call->forces)
            set_forced(true);
    }
    if (previous_hook != nullptr)
        previous_hook(event, function, &call->previous);
    if (event != FHET_START && call->forces)
        set_forced(false);
}

bool runs_a_query(Oid function) {
    switch (function) {
    case F_QUERY_TO_XML:
    case F_QUERY_TO_XMLSCHEMA:
    case F_QUERY_TO_XML_AND_XMLSCHEMA:
    case F_TABLE_TO_XML:
    case F_TABLE_TO_XML_AND_XMLSCHEMA:
    case F_SCHEMA_TO_XML:
    case F_SCHEMA_TO_XML_AND_XMLSCHEMA:
    case F_DATABASE_TO_XML:
    case F_DATABASE_TO_XML_AND_XMLSCHEMA:
    case F_TS_STAT_TEXT:
    case F_TS_STAT_TEXT_TEXT:
    case F_TS_REWRITE_TSQUERY_TEXT:
        return true;
    default:
        return false;
    }
}

} // namespace

// What allocates in them raises plainly, and no C++ object is alive.
extern "C" {
static bool tenancy_needs_function_hook(Oid function) {
    return seeing || (previous_needs_hook != nullptr && previous_needs_hook(function));
}
static void tenancy_function_hook(FmgrHookEventType event, FmgrInfo* function, Datum* argument) {
    on_call(event, function, argument);
}
}

HiddenRows::HiddenRows() noexcept : outer_(seeing) {
    GetUserIdAndSecContext(&user_, &security_);
    SetUserIdAndSecContext(user_, security_ | SECURITY_NOFORCE_RLS);
    seeing = true;
}

HiddenRows::~HiddenRows() {
    seeing = outer_;
    SetUserIdAndSecContext(user_, security_);
}

void refuse_running_queries(Oid function) {
    if (likely(!seeing) || !InNoForceRLSOperation() || !runs_a_query(function))
        return;
    ereport(ERROR,
            (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
             errmsg("detaching a partition of a protected table cannot call %s()",
                    get_func_name(function)),
             errdetail("The rows of all tenants are in view while its foreign keys are checked."),
             errhint("Make the other changes in a command of their own.")));
}

void install_function_hook() {
    previous_needs_hook = needs_fmgr_hook;
    needs_fmgr_hook = tenancy_needs_function_hook;
    previous_hook = fmgr_hook;
    fmgr_hook = tenancy_function_hook;
}

} // namespace tenancy::isolation
