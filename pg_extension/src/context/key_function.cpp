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

Const* constant(Oid type, int16 length, Datum value, bool by_value) {
    return makeConst(type, -1, get_typcollation(type), length, value, false, by_value);
}

KeyKind key_kind_of_function(Oid function) {
    look_up_all();
    for (size_t at = 0; at < lengthof(key_functions); at++)
        if (OidIsValid(function) && function == known.functions[at])
            return key_functions[at].kind;
    return KeyKind::none;
}

} // namespace

KeyKind key_kind_of_parameter(int number) {
    const int at = number - first_key_parameter;
    return at >= 0 && at < static_cast<int>(lengthof(key_functions)) ? key_functions[at].kind
                                                                     : KeyKind::none;
}

KeyKind key_kind_of(const Node* node) {
    if (node == nullptr)
        return KeyKind::none;
    if (IsA(node, FuncExpr))
        return key_kind_of_function(castNode(FuncExpr, node)->funcid);
    if (IsA(node, Param) && castNode(Param, node)->paramkind == PARAM_EXTERN)
        return key_kind_of_parameter(castNode(Param, node)->paramid);
    return KeyKind::none;
}

Param* key_parameter(const FuncExpr* call) {
    look_up_all();
    auto* parameter = makeNode(Param);
    parameter->paramkind = PARAM_EXTERN;
    for (size_t at = 0; at < lengthof(key_functions); at++)
        if (call->funcid == known.functions[at])
            parameter->paramid = first_key_parameter + static_cast<int>(at);
    parameter->paramtype = call->funcresulttype;
    parameter->paramtypmod = -1;
    parameter->paramcollid = call->funccollid;
    parameter->location = -1;
    return parameter;
}

FuncExpr* key_call(const Param* parameter) {
    look_up_all();
    return makeFuncExpr(known.functions[parameter->paramid - first_key_parameter],
                        parameter->paramtype, NIL, parameter->paramcollid, InvalidOid,
                        COERCE_EXPLICIT_CALL);
}

Const* key_constant(KeyKind key, const Context& context) {
    switch (key) {
    case KeyKind::uuid: {
        auto* id = static_cast<pg_uuid_t*>(palloc(sizeof(pg_uuid_t)));
        *id = context.tenant;
        return constant(UUIDOID, UUID_LEN, UUIDPGetDatum(id), false);
    }
    case KeyKind::text:
        if (context.external_id[0] == '\0')
            return nullptr;
        return constant(TEXTOID, -1, CStringGetTextDatum(context.external_id), false);
    case KeyKind::bigint:
        if (!context.has_external_bigint)
            return nullptr;
        return constant(INT8OID, sizeof(int64), Int64GetDatum(context.external_bigint),
                        FLOAT8PASSBYVAL);
    case KeyKind::integer:
        if (!context.has_external_bigint || context.external_bigint < PG_INT32_MIN ||
            context.external_bigint > PG_INT32_MAX)
            return nullptr;
        return constant(INT4OID, sizeof(int32),
                        Int32GetDatum(static_cast<int32>(context.external_bigint)), true);
    case KeyKind::none:
        break;
    }
    return nullptr;
}

} // namespace tenancy::context
