// Channels of LISTEN and NOTIFY that belong to one tenant: their names begin with its prefix.
#include <algorithm>
#include <string>

#include "core/tenant_name.hpp"
#include "bridge/entry.hpp"
#include "bridge/sqlstate.hpp"
#include "context/state.hpp"
#include "guard/applies.hpp"

namespace tenancy::guard::channel {

namespace {

constexpr int prefix_length = 35; // t_<32 hex>_
constexpr int longest_name = NAMEDATALEN - 1 - prefix_length;

struct Prefix {
    char text[prefix_length + 1];
};

Prefix prefix_of(const pg_uuid_t& tenant) {
    Uuid id;
    std::copy_n(tenant.data, UUID_LEN, id.bytes.begin());
    const std::string text = channel_prefix(id);
    Prefix prefix{};
    text.copy(prefix.text, prefix_length);
    return prefix;
}

bool is_hex(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

bool belongs_to_a_tenant(const char* name) {
    if (strlen(name) < prefix_length || name[0] != 't' || name[1] != '_')
        return false;
    for (int i = 2; i < prefix_length - 1; i++)
        if (!is_hex(name[i]))
            return false;
    return name[prefix_length - 1] == '_';
}

bool is_own(const char* name) {
    const context::Context* context = context::current();
    return context != nullptr && context->kind == context::Kind::tenant &&
           strncmp(name, prefix_of(context->tenant).text, prefix_length) == 0;
}

// The channel `name` of the context's tenant, palloc'd.
char* own_channel(const char* name) {
    if (name[0] == '\0' || strlen(name) > longest_name)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("a tenant's channel name has 1 to %d bytes", longest_name)));
    const context::Context& context = context::require_tenant();
    return psprintf("%s%s", prefix_of(context.tenant).text, name);
}

} // namespace

void check(const char* name) {
    if (!belongs_to_a_tenant(name) || is_own(name))
        return;
    ereport(ERROR,
            (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
             errmsg("channel \"%s\" does not belong to the tenant of this transaction", name),
             errhint("Enter the tenant first, and take the name from tenancy.channel().")));
}

} // namespace tenancy::guard::channel

namespace tenancy {

TENANCY_FUNCTION(channel) {
    return CStringGetTextDatum(guard::channel::own_channel(text_to_cstring(PG_GETARG_TEXT_PP(0))));
}

TENANCY_FUNCTION(notify) {
    const char* channel = guard::channel::own_channel(text_to_cstring(PG_GETARG_TEXT_PP(0)));
    PreventCommandDuringRecovery("NOTIFY");
    Async_Notify(channel, text_to_cstring(PG_GETARG_TEXT_PP(1)));
    PG_RETURN_VOID();
}

} // namespace tenancy
