// tenancy.fill_null_tenant(): a trigger for ORMs that insert an explicit NULL where the column's
// default would give the tenant of the context.
#include "bridge/call.hpp"
#include "bridge/entry.hpp"
#include "context/state.hpp"

namespace {

// The value the default functions give, by the column's type.
const char* default_function(Oid type) {
    switch (type) {
    case UUIDOID:
        return "default_tenant_id";
    case INT8OID:
        return "default_tenant_external_bigint";
    case INT4OID:
        return "default_tenant_external_integer";
    case TEXTOID:
    case VARCHAROID:
        return "default_tenant_external_id";
    default:
        ereport(ERROR,
                (errcode(ERRCODE_DATATYPE_MISMATCH),
                 errmsg("tenancy.fill_null_tenant cannot fill a column of type %s",
                        format_type_be(type)),
                 errhint("A tenant column is of type uuid, bigint, integer, text or varchar.")));
        pg_unreachable();
    }
}

Datum tenant_of_context(Oid type) {
    List* name =
        list_make2(makeString(pstrdup("tenancy")), makeString(pstrdup(default_function(type))));
    return OidFunctionCall0(LookupFuncName(name, 0, nullptr, false));
}

} // namespace

namespace tenancy {

TENANCY_FUNCTION(fill_null_tenant) {
    if (!CALLED_AS_TRIGGER(fcinfo))
        ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
                        errmsg("tenancy.fill_null_tenant must be called as a trigger")));
    auto* trigger = reinterpret_cast<TriggerData*>(fcinfo->context);
    if (!TRIGGER_FIRED_BEFORE(trigger->tg_event) || !TRIGGER_FIRED_BY_INSERT(trigger->tg_event) ||
        !TRIGGER_FIRED_FOR_ROW(trigger->tg_event) || trigger->tg_trigger->tgnargs < 1)
        ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
                        errmsg("tenancy.fill_null_tenant must be a BEFORE INSERT trigger for each "
                               "row, with the tenant column as its argument")));
    TupleDesc description = RelationGetDescr(trigger->tg_relation);
    int column = SPI_fnumber(description, trigger->tg_trigger->tgargs[0]);
    if (column <= 0)
        ereport(ERROR, (errcode(ERRCODE_UNDEFINED_COLUMN),
                        errmsg("column \"%s\" does not exist", trigger->tg_trigger->tgargs[0])));
    HeapTuple row = trigger->tg_trigtuple;
    // A second argument: protect_plan() fills the column, and without a context it stays NULL for
    // now.
    const bool needed = trigger->tg_trigger->tgnargs == 1 || context::current() != nullptr;
    if (needed && heap_attisnull(row, column, description)) {
        Datum value = tenant_of_context(TupleDescAttr(description, column - 1)->atttypid);
        bool null = false;
        row = heap_modify_tuple_by_cols(row, description, 1, &column, &value, &null);
    }
    return PointerGetDatum(row);
}

} // namespace tenancy
