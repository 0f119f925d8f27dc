// The pinned context and the checks before each statement; see state.hpp.
#include "context/state.hpp"

#include "bridge/call.hpp"
#include "context/activity.hpp"
#include "context/authority.hpp"
#include "context/errors.hpp"
#include "context/leftovers.hpp"
#include "context/limits.hpp"
#include "context/registry.hpp"
#include "context/setting.hpp"
#include "planner/tenant_size.hpp"

namespace tenancy::context {

Depth depth{};
const Context* usable = nullptr;

namespace {

struct State {
    bool pinned;
    char* raw;     // in TopMemoryContext
    Size raw_size; // allocated
    Context context;
};
constinit State state{};

void keep_raw(const char* raw) {
    const Size size = strlen(raw) + 1;
    if (size > state.raw_size) {
        char* larger = static_cast<char*>(MemoryContextAlloc(TopMemoryContext, Max(size, 64)));
        if (state.raw != nullptr)
            pfree(state.raw);
        state.raw = larger;
        state.raw_size = Max(size, 64);
    }
    memcpy(state.raw, raw, size);
}

// A backend whose session is for one tenant makes it this transaction's context at first use.
void adopt_session_context() {
    if (is_pinned() || !setting::has_value() || IsParallelWorker() || leftovers::is_clearing())
        return;
    const char* raw = setting::value();
    const Context found = authority::resolve(raw, authority::Scope::session);
    authority::admit(found, raw);
}

// After the registry changed: are state, grant and key still what they were?
void revalidate() {
    const uint64 epoch = registry::epoch();
    if (state.context.epoch == epoch || state.context.authority == Authority::internal)
        return;
    authority::reconfirm(state.context);
    state.context.epoch = epoch;
}

void check_expiry() {
    if (state.context.expires != DT_NOEND && GetCurrentTimestamp() >= state.context.expires)
        errors::expired(state.context);
}

} // namespace

const Context* for_planning() {
    return state.pinned && state.context.kind == Kind::tenant ? &state.context : nullptr;
}

bool is_pinned() {
    return state.pinned;
}

const Context& pinned() {
    return state.context;
}

void setting_changed() {
    usable = nullptr;
}

const Context* current() {
    if (likely(usable != nullptr && usable->outer_user == GetOuterUserId()))
        return usable;
    if (!registry::preloaded())
        errors::not_preloaded();
    if (!state.pinned && depth.planner == 0)
        adopt_session_context();
    if (!state.pinned)
        return nullptr;
    if (state.context.authority == Authority::internal)
        return &state.context;
    const bool agrees = IsParallelWorker() || setting::says(state.raw);
    if (state.context.outer_user != GetOuterUserId() || !agrees)
        errors::context_changed();
    // ALTER TABLE asks each time, so that a rewrite is noticed.
    if (depth.altering == 0)
        usable = &state.context;
    return &state.context;
}

const Context& require_tenant() {
    const Context* context = current();
    if (context == nullptr)
        errors::no_context();
    if (context->kind != Kind::tenant)
        errors::not_one_tenant();
    return *context;
}

void replace(const Context& context, const char* raw) {
    keep_raw(raw);
    state.context = context;
    state.pinned = true;
    usable = &state.context;
    planner::tenant_entered(context);
    activity::publish(context);
    // Whoever drains this tenant looks at the published context after committing the suspension;
    // this backend looks for the suspension after publishing. One of the two sees the other.
    registry::accept_invalidations();
    revalidate();
    if (context.read_only)
        XactReadOnly = true;
}

void pin(const Context& context, const char* raw) {
    Assert(!state.pinned);
    replace(context, raw);
}

void adopt_in_worker(const Context& context) {
    state.context = context;
    state.pinned = context.kind != Kind::none;
    usable = nullptr;
}

void unpin() {
    if (!state.pinned)
        return;
    state.pinned = false;
    usable = nullptr;
    limits::forget();
    activity::withdraw();
}

void check_statement() {
    if (IsParallelWorker())
        return;
    registry::accept_invalidations();
    const Context* context = current();
    if (context == nullptr)
        return;
    revalidate();
    check_expiry();
    limits::check();
    // A savepoint that ends restores its own idea of read-only.
    if (context->read_only)
        XactReadOnly = true;
}

void check_commit() {
    if (!state.pinned)
        return;
    registry::accept_invalidations();
    revalidate();
    check_expiry();
}

InternalContext::InternalContext(const pg_uuid_t& tenant)
    : saved_(state.context), was_pinned_(state.pinned), was_usable_(usable) {
    Context context{};
    pg_call([&] { registry::describe_tenant(tenant, context); });
    context.kind = Kind::tenant;
    context.authority = Authority::internal;
    context.expires = DT_NOEND;
    context.outer_user = GetOuterUserId();
    state.context = context;
    state.pinned = true;
    usable = &state.context;
}

InternalContext::~InternalContext() {
    state.context = saved_;
    state.pinned = was_pinned_;
    usable = was_usable_;
}

} // namespace tenancy::context
