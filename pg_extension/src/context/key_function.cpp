// See key_function.hpp.
#include "context/key_function.hpp"

#include "context/registry.hpp"

namespace tenancy::context {

namespace {

struct KeyFunction {
    const char* name;
    KeyKind kind;
};
constexpr KeyFunction key_functions[] = {
    {"current_tenant_id", KeyKind::uuid},
    {"current_tenant_external_id", KeyKind::text},
    {"current_tenant_external_bigint", KeyKind::bigint},
    {"current_tenant_external_integer", KeyKind::integer},
};

struct Known {
    bool complete; // what CREATE EXTENSION has not made yet is looked for again
    uint64 epoch;  // of the registry, when they were looked up
    Oid functions[lengthof(key_functions)];
};
constinit Known known{};

// Without a look at the search_path or at rights on the schema.
Oid look_up(const char* name) {
    return GetSysCacheOid3(PROCNAMEARGSNSP, Anum_pg_proc_oid, CStringGetDatum(name),
                           PointerGetDatum(buildoidvector(nullptr, 0)),
                           ObjectIdGetDatum(get_namespace_oid("tenancy", true)));
}

void look_up_all() {
    const uint64 epoch = registry::epoch();
    if (known.complete && known.epoch == epoch)
        return;
    Known found{true, epoch, {}};
    for (size_t at = 0; at < lengthof(key_functions); at++) {
        found.functions[at] = look_up(key_functions[at].name);
        found.complete = found.complete && OidIsValid(found.functions[at]);
    }
    known = found;
}

} // namespace

KeyKind key_kind_of(Oid function) {
    look_up_all();
    for (size_t at = 0; at < lengthof(key_functions); at++)
        if (OidIsValid(function) && function == known.functions[at])
            return key_functions[at].kind;
    return KeyKind::none;
}

} // namespace tenancy::context
