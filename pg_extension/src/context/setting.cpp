// See setting.hpp.
#include "context/setting.hpp"

#include "bridge/call.hpp"
#include "bridge/entry.hpp"
#include "bridge/sqlstate.hpp"
#include "context/authority.hpp"
#include "context/state.hpp"
#include "core/sqlstate.hpp"

namespace tenancy::context::setting {

namespace {

constinit char* context_value = nullptr;
constinit char* worker_value = nullptr;
constinit int on_missing_value = static_cast<int>(OnMissingContext::error);
constinit int guard_value = static_cast<int>(Guard::strict);
constinit bool literal_tokens_value = false;
constinit bool test_mode_value = false;
constinit bool index_pushdown_value = true;
constinit bool permitted = false;
constinit bool sharing = false;

const config_enum_entry on_missing_options[] = {
    {"error", static_cast<int>(OnMissingContext::error), false},
    {"empty", static_cast<int>(OnMissingContext::empty), false},
    {nullptr, 0, false}};

const config_enum_entry guard_options[] = {{"strict", static_cast<int>(Guard::strict), false},
                                           {"standard", static_cast<int>(Guard::standard), false},
                                           {"off", static_cast<int>(Guard::off), false},
                                           {nullptr, 0, false}};

bool refuse(const char* message, const char* hint) {
    GUC_check_errcode(packed(sqlstate::entry_refused));
    GUC_check_errmsg("%s", message);
    GUC_check_errhint("%s", hint);
    return false;
}

// Everything that assigns the setting passes here, but for what only takes a value back (RESET,
// the end of a transaction, a savepoint or a function).
bool check_context_impl(char** value, void**, GucSource source) {
    if ((*value)[0] == '\0' || permitted || InitializingParallelWorker)
        return true;
    if (source != PGC_S_SESSION || !IsTransactionState())
        return refuse("tenancy.context cannot be stored or given at connection",
                      "Begin each transaction with SELECT tenancy.enter($1).");
    if (!authority::may_enter_anywhere())
        return refuse("the tenant context cannot be set here",
                      "Send SELECT tenancy.enter($1), or a top-level SET LOCAL tenancy.context, "
                      "first in its query string but for BEGIN.");
    return true;
}

void assign_context_impl(const char*, void*) {
    setting_changed();
}

// The text in which a context travels to parallel workers: its bytes in hexadecimal.
char* encode(const Context& context) {
    constexpr Size size = sizeof(Context);
    char* text = static_cast<char*>(palloc(2 * size + 1));
    hex_encode(reinterpret_cast<const char*>(&context), size, text);
    text[2 * size] = '\0';
    return text;
}

bool check_worker_impl(char** value, void**, GucSource) {
    if ((*value)[0] == '\0' || sharing)
        return true;
    if (InitializingParallelWorker && strlen(*value) == 2 * sizeof(Context))
        return true;
    return refuse("tenancy.worker_context is set by the server alone", "Use tenancy.enter.");
}

void assign_worker_impl(const char* value, void*) {
    if (!InitializingParallelWorker || value == nullptr || strlen(value) != 2 * sizeof(Context))
        return;
    Context context;
    hex_decode(value, 2 * sizeof(Context), reinterpret_cast<char*>(&context));
    adopt_in_worker(context);
}

const char* show_nothing_impl() {
    return "";
}

extern "C" {
bool tenancy_check_context(char** value, void** extra, GucSource source) {
    return entry<check_context_impl>(value, extra, source);
}
void tenancy_assign_context(const char* value, void* extra) {
    entry<assign_context_impl>(value, extra);
}
bool tenancy_check_worker(char** value, void** extra, GucSource source) {
    return entry<check_worker_impl>(value, extra, source);
}
void tenancy_assign_worker(const char* value, void* extra) {
    entry<assign_worker_impl>(value, extra);
}
const char* tenancy_show_nothing(void) {
    return entry<show_nothing_impl>();
}
}

void define_context() {
    constexpr int hidden = GUC_NO_SHOW_ALL | GUC_NOT_IN_SAMPLE | GUC_DISALLOW_IN_FILE;
    DefineCustomStringVariable("tenancy.context", "The tenant this transaction works for.",
                               "A slug, an id, an alias written kind:value, or a token.",
                               &context_value, "", PGC_USERSET, hidden, tenancy_check_context,
                               tenancy_assign_context, tenancy_show_nothing);
    DefineCustomStringVariable("tenancy.worker_context",
                               "Carries the context to parallel workers; not for use.", nullptr,
                               &worker_value, "", PGC_USERSET, hidden | GUC_NO_RESET_ALL,
                               tenancy_check_worker, tenancy_assign_worker, tenancy_show_nothing);
}

} // namespace

void define() {
    define_context();
    DefineCustomEnumVariable(
        "tenancy.on_missing_context", "What reading a protected table without a context does.",
        "error: an error that says how to set one. empty: no rows. Writing is an error either way.",
        &on_missing_value, on_missing_value, on_missing_options, PGC_USERSET, 0, nullptr, nullptr,
        nullptr);
    DefineCustomEnumVariable(
        "tenancy.guard", "How much of what could tell about other tenants' rows is refused.",
        "strict, standard (EXPLAIN without costs and rows), or off.", &guard_value, guard_value,
        guard_options, PGC_SUSET, 0, nullptr, nullptr, nullptr);
    DefineCustomBoolVariable(
        "tenancy.literal_tokens",
        "Accept tokens written into the SQL text, for drivers that bind on the client.",
        "SQL text shows up in logs, pg_stat_activity and pg_stat_statements.",
        &literal_tokens_value, false, PGC_SUSET, 0, nullptr, nullptr, nullptr);
    DefineCustomBoolVariable(
        "tenancy.test_mode",
        "Let test suites work for several tenants in one transaction or session.",
        "tenancy.switch() works, and entering a tenant clears nothing that the last one left.",
        &test_mode_value, false, PGC_SUSET, 0, nullptr, nullptr, nullptr);
    DefineCustomBoolVariable(
        "tenancy.index_pushdown",
        "Plan queries of protected tables as if the tenant's condition were written by hand.",
        "Only where this tells nothing about other tenants' rows; off: as PostgreSQL's row "
        "security does.",
        &index_pushdown_value, true, PGC_SUSET, 0, nullptr, nullptr, nullptr);
    MarkGUCPrefixReserved("tenancy");
}

const char* value() {
    return context_value == nullptr ? "" : context_value;
}

bool has_value() {
    return value()[0] != '\0';
}

bool says(const char* raw) {
    return strcmp(value(), raw) == 0;
}

OnMissingContext on_missing_context() {
    return static_cast<OnMissingContext>(on_missing_value);
}

Guard guard() {
    return static_cast<Guard>(guard_value);
}

bool literal_tokens() {
    return literal_tokens_value;
}

bool test_mode() {
    return test_mode_value;
}

bool index_pushdown() {
    return index_pushdown_value;
}

AssignmentPermit::AssignmentPermit() {
    permitted = true;
}

AssignmentPermit::~AssignmentPermit() {
    permitted = false;
}

namespace {

// While alive, this backend may assign what parallel workers take over.
class SharingPermit {
public:
    SharingPermit() { sharing = true; }
    SharingPermit(const SharingPermit&) = delete;
    SharingPermit& operator=(const SharingPermit&) = delete;
    ~SharingPermit() { sharing = false; }
};

} // namespace

void assign(const char* raw, bool for_session) {
    const AssignmentPermit permit;
    pg_call([&] {
        set_config_option("tenancy.context", raw, PGC_USERSET, PGC_S_SESSION,
                          for_session ? GUC_ACTION_SET : GUC_ACTION_LOCAL, true, ERROR, false);
    });
}

int begin_sharing() {
    const char* text = is_pinned() ? encode(pinned()) : "";
    const int level = NewGUCNestLevel();
    const SharingPermit permit;
    pg_call([&] {
        set_config_option("tenancy.worker_context", text, PGC_USERSET, PGC_S_SESSION,
                          GUC_ACTION_SAVE, true, ERROR, false);
    });
    return level;
}

void end_sharing(int level) {
    AtEOXact_GUC(true, level);
}

} // namespace tenancy::context::setting
