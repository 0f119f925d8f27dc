// See authority.hpp. How a name or a token becomes a context, and the backend's cache of that.
#include <cstring>
#include <string_view>

#include "core/tenant_name.hpp"
#include "bridge/call.hpp"
#include "context/authority.hpp"
#include "context/errors.hpp"
#include "context/leftovers.hpp"
#include "context/limits.hpp"
#include "context/registry.hpp"
#include "context/setting.hpp"
#include "context/token_authority.hpp"

namespace tenancy::context::authority {

namespace {

// What was resolved before, while the registry has not changed since. A text has its place in one
// of a few ways of a set, so that two tenants that take turns do not drive each other out.
struct Remembered {
    char* raw; // in TopMemoryContext
    uint32 hash;
    Context context;
};
constexpr uint32 set_count = 128; // power of two
constexpr uint32 way_count = 4;
using Set = Remembered* [way_count];
constinit Set remembered[set_count] = {};

uint32 hash_of(const char* raw, Oid outer_user) {
    return hash_combine(
        hash_bytes(reinterpret_cast<const unsigned char*>(raw), static_cast<int>(strlen(raw))),
        outer_user);
}

bool has_expired(const Context& context) {
    return context.expires != DT_NOEND && GetCurrentTimestamp() >= context.expires;
}

bool is_about(const Remembered* entry, uint32 hash, const char* raw, Oid outer_user) {
    return entry != nullptr && entry->hash == hash && entry->context.outer_user == outer_user &&
           strcmp(entry->raw, raw) == 0;
}

// What has expired is resolved again: another grant may allow what the first one no longer does.
const Context* recall(const char* raw, Oid outer_user) {
    const uint32 hash = hash_of(raw, outer_user);
    for (const Remembered* entry : remembered[hash & (set_count - 1)])
        if (is_about(entry, hash, raw, outer_user))
            return entry->context.epoch == registry::epoch() && !has_expired(entry->context)
                       ? &entry->context
                       : nullptr;
    return nullptr;
}

// Where to remember a text: where it was, else in a free way, else instead of what is stale, else
// of whichever is next.
Remembered*& place_for(uint32 hash, const char* raw, Oid outer_user) {
    static constinit uint32 turn = 0;
    Set& set = remembered[hash & (set_count - 1)];
    for (Remembered*& entry : set)
        if (is_about(entry, hash, raw, outer_user))
            return entry;
    for (Remembered*& entry : set)
        if (entry == nullptr || entry->context.epoch != registry::epoch())
            return entry;
    return set[turn++ % way_count];
}

void remember(const char* raw, const Context& context) {
    const uint32 hash = hash_of(raw, context.outer_user);
    char* text = MemoryContextStrdup(TopMemoryContext, raw);
    Remembered*& entry = place_for(hash, raw, context.outer_user);
    if (entry == nullptr)
        entry = static_cast<Remembered*>(MemoryContextAllocZero(TopMemoryContext, sizeof *entry));
    if (entry->raw != nullptr)
        pfree(entry->raw);
    entry->raw = text;
    entry->hash = hash;
    entry->context = context;
}

struct Guardedness {
    Oid role;
    uint64 epoch;
    bool guarded;
};
constinit Guardedness known_guardedness{};

// Host names are kept in lower case and without the dot at the end (tenancy.normalise_alias).
void normalise_host(char* host) {
    for (char* c = host; *c != '\0'; c++)
        *c = static_cast<char>(pg_ascii_tolower(static_cast<unsigned char>(*c)));
    for (size_t length = strlen(host); length > 0 && host[length - 1] == '.'; length--)
        host[length - 1] = '\0';
}

bool find_tenant(const Designator& name, registry::Tenant& tenant) {
    char* value = pnstrdup(name.value.data(), name.value.size());
    const char* kind = pnstrdup(name.alias_kind.data(), name.alias_kind.size());
    pg_uuid_t id;
    memcpy(id.data, name.id.bytes.data(), UUID_LEN);
    switch (name.kind) {
    case Designator::Kind::id:
        return registry::tenant_by_id(id, tenant);
    case Designator::Kind::external_id:
        return registry::tenant_by_external_id(value, tenant);
    case Designator::Kind::alias:
        if (strcmp(kind, "host") == 0)
            normalise_host(value);
        return registry::tenant_by_alias(kind, value, tenant);
    case Designator::Kind::slug:
        return registry::tenant_by_slug(value, tenant);
    case Designator::Kind::token:
        break;
    }
    return false;
}

// Whether anyone works in a tenant in this state, and whether only to read.
bool is_open(registry::TenantState state) {
    return state == registry::TenantState::active || state == registry::TenantState::read_only;
}

void take_grant(const char* raw, Context& context) {
    registry::Grant grant;
    if (!registry::find_grant(context.outer_user, context.tenant, grant))
        errors::access_denied(raw);
    context.authority = Authority::grant;
    context.grant_id = grant.id;
    context.read_only = grant.read_only;
    context.session_allowed = grant.session_scope;
    context.expires = grant.valid_until;
}

void require_open(const registry::Tenant& tenant, Context& context) {
    if (!is_open(tenant.state))
        errors::tenant_unavailable(tenant.slug, registry::state_name(tenant.state));
    if (tenant.state == registry::TenantState::read_only)
        context.read_only = true;
}

Context by_name(const Designator& name, const char* raw) {
    Context context{};
    context.kind = Kind::tenant;
    context.outer_user = GetOuterUserId();
    context.epoch = registry::epoch();
    context.expires = DT_NOEND;

    registry::Tenant tenant;
    if (!find_tenant(name, tenant)) {
        if (is_guarded(context.outer_user))
            errors::access_denied(raw);
        errors::tenant_unknown(raw);
    }
    registry::describe(tenant, context);
    if (superuser_arg(context.outer_user)) {
        context.authority = Authority::superuser;
        context.session_allowed = true;
    } else {
        take_grant(raw, context);
    }
    require_open(tenant, context);
    return context;
}

Context by_token(const char* raw) {
    const token_authority::Verdict verdict = token_authority::verify(raw);
    Context context = verdict.context;
    registry::Tenant tenant;
    const Designator name = token_authority::designator(verdict);
    if (!find_tenant(name, tenant) || !token_authority::speaks_for(verdict, tenant.id))
        token_authority::wrong_tenant();
    registry::describe(tenant, context);
    require_open(tenant, context);
    return context;
}

bool same_authority(const Context& a, const Context& b) {
    return a.kind == b.kind && memcmp(&a.tenant, &b.tenant, sizeof a.tenant) == 0 &&
           a.read_only == b.read_only && a.outer_user == b.outer_user &&
           strcmp(a.actor, b.actor) == 0;
}

bool may_work_for_all(Oid role) {
    bool backup;
    return superuser_arg(role) || registry::is_registered_bypass(role, backup);
}

void lower_to_read_only(const registry::Tenant& tenant, Context& context) {
    if (TransactionIdIsValid(GetTopTransactionIdIfAny()))
        errors::became_read_only(tenant.slug);
    context.read_only = true;
    XactReadOnly = true;
}

// Whether the authority still stands; `read_only` tells the most it allows.
bool still_authorised(Context& context, bool& read_only) {
    read_only = context.read_only;
    if (context.authority == Authority::superuser)
        return superuser_arg(context.outer_user);
    if (context.authority == Authority::token)
        return token_authority::still_valid(context);
    registry::Grant grant;
    if (!registry::find_grant(context.outer_user, context.tenant, grant))
        return false;
    context.expires = grant.valid_until;
    read_only = read_only || grant.read_only;
    return true;
}

} // namespace

bool is_guarded(Oid role) {
    if (known_guardedness.role == role && known_guardedness.epoch == registry::epoch())
        return known_guardedness.guarded;
    const uint64 epoch = registry::epoch();
    const bool free = superuser_arg(role) || has_bypassrls_privilege(role) ||
                      (registry::installed() && registry::is_operator(role, "admin"));
    known_guardedness = {role, epoch, !free};
    return !free;
}

bool may_enter_anywhere() {
    return GetUserId() == GetOuterUserId() && !InSecurityRestrictedOperation() &&
           !is_guarded(GetOuterUserId());
}

Context resolve(const char* raw, Scope scope) {
    if (!registry::preloaded())
        errors::not_preloaded();
    if (!registry::installed())
        errors::not_installed();

    Context context;
    if (const Context* known = recall(raw, GetOuterUserId()); known != nullptr) {
        context = *known;
    } else {
        const Designator name = classify_designator(raw);
        context = name.kind == Designator::Kind::token ? by_token(raw) : by_name(name, raw);
        remember(raw, context);
    }
    if (has_expired(context))
        errors::expired(context);
    if (scope == Scope::session && !context.session_allowed)
        errors::session_scope_denied();
    return context;
}

Context resolve_all() {
    if (!registry::preloaded())
        errors::not_preloaded();
    Context context{};
    context.kind = Kind::all;
    context.outer_user = GetOuterUserId();
    context.epoch = registry::epoch();
    context.expires = DT_NOEND;
    context.authority = superuser_arg(context.outer_user) ? Authority::superuser : Authority::grant;
    if (!may_work_for_all(context.outer_user))
        errors::all_tenants_denied();
    return context;
}

void admit(const Context& context, const char* raw) {
    if (is_pinned()) {
        if (!same_authority(pinned(), context))
            errors::already_set(pinned());
        leftovers::clear(context);
        replace(context, raw);
        return;
    }
    leftovers::clear(context);
    pin(context, raw);
    limits::apply(context);
}

void reconfirm(Context& context) {
    if (context.kind == Kind::all) {
        if (!may_work_for_all(context.outer_user))
            errors::access_withdrawn();
        return;
    }
    registry::Tenant tenant;
    bool read_only;
    if (!registry::tenant_by_id(context.tenant, tenant) || !still_authorised(context, read_only))
        errors::access_withdrawn();
    if (!is_open(tenant.state))
        errors::tenant_unavailable(tenant.slug, registry::state_name(tenant.state));
    read_only = read_only || tenant.state == registry::TenantState::read_only;
    if (read_only && !context.read_only)
        lower_to_read_only(tenant, context);
}

} // namespace tenancy::context::authority
