// See search_function.hpp. What is not listed is not trusted: geometry (overflows while it
// computes), regular expressions (time and memory depend on the text), jsonpath (raises on dates in
// spite of being silent), `text @@` (a notice about long words), records (any type within),
// adjacency of ranges (calls the canonical function).
#include "planner/search_function.hpp"

namespace tenancy::planner {

namespace {

bool is_plain_element(Oid type) {
    switch (type) {
    case BOOLOID:
    case BYTEAOID:
    case CHAROID:
    case NAMEOID:
    case INT8OID:
    case INT2OID:
    case INT4OID:
    case TEXTOID:
    case OIDOID:
    case FLOAT4OID:
    case FLOAT8OID:
    case INETOID:
    case CIDROID:
    case MACADDROID:
    case BPCHAROID:
    case VARCHAROID:
    case DATEOID:
    case TIMEOID:
    case TIMESTAMPOID:
    case TIMESTAMPTZOID:
    case INTERVALOID:
    case TIMETZOID:
    case BITOID:
    case VARBITOID:
    case NUMERICOID:
    case UUIDOID:
    case JSONBOID:
        return true;
    default:
        return type_is_enum(type);
    }
}

// Not numrange: the distance of two bounds, which the statistics ask for, overflows.
bool is_plain_range(Oid type) {
    switch (type) {
    case INT4RANGEOID:
    case INT8RANGEOID:
    case DATERANGEOID:
    case TSRANGEOID:
    case TSTZRANGEOID:
    case INT4MULTIRANGEOID:
    case INT8MULTIRANGEOID:
    case DATEMULTIRANGEOID:
    case TSMULTIRANGEOID:
    case TSTZMULTIRANGEOID:
        return true;
    default:
        return false;
    }
}

} // namespace

Trust trust_of(Oid function) {
    switch (function) {
    case F_DATE_EQ_TIMESTAMP:
    case F_DATE_EQ_TIMESTAMPTZ:
    case F_DATE_GE_TIMESTAMP:
    case F_DATE_GE_TIMESTAMPTZ:
    case F_DATE_GT_TIMESTAMP:
    case F_DATE_GT_TIMESTAMPTZ:
    case F_DATE_LE_TIMESTAMP:
    case F_DATE_LE_TIMESTAMPTZ:
    case F_DATE_LT_TIMESTAMP:
    case F_DATE_LT_TIMESTAMPTZ:
    case F_DATE_NE_TIMESTAMP:
    case F_DATE_NE_TIMESTAMPTZ:
    case F_JSONB_CONTAINED:
    case F_JSONB_CONTAINS:
    case F_JSONB_EQ:
    case F_JSONB_EXISTS:
    case F_JSONB_EXISTS_ALL:
    case F_JSONB_EXISTS_ANY:
    case F_JSONB_GE:
    case F_JSONB_GT:
    case F_JSONB_LE:
    case F_JSONB_LT:
    case F_JSONB_NE:
    case F_NETWORK_OVERLAP:
    case F_NETWORK_SUB:
    case F_NETWORK_SUBEQ:
    case F_NETWORK_SUP:
    case F_NETWORK_SUPEQ:
    case F_NUMERIC_EQ:
    case F_NUMERIC_GE:
    case F_NUMERIC_GT:
    case F_NUMERIC_LE:
    case F_NUMERIC_LT:
    case F_NUMERIC_NE:
    case F_TIMESTAMP_EQ_DATE:
    case F_TIMESTAMP_EQ_TIMESTAMPTZ:
    case F_TIMESTAMP_GE_DATE:
    case F_TIMESTAMP_GE_TIMESTAMPTZ:
    case F_TIMESTAMP_GT_DATE:
    case F_TIMESTAMP_GT_TIMESTAMPTZ:
    case F_TIMESTAMP_LE_DATE:
    case F_TIMESTAMP_LE_TIMESTAMPTZ:
    case F_TIMESTAMP_LT_DATE:
    case F_TIMESTAMP_LT_TIMESTAMPTZ:
    case F_TIMESTAMP_NE_DATE:
    case F_TIMESTAMP_NE_TIMESTAMPTZ:
    case F_TIMESTAMPTZ_EQ_DATE:
    case F_TIMESTAMPTZ_EQ_TIMESTAMP:
    case F_TIMESTAMPTZ_GE_DATE:
    case F_TIMESTAMPTZ_GE_TIMESTAMP:
    case F_TIMESTAMPTZ_GT_DATE:
    case F_TIMESTAMPTZ_GT_TIMESTAMP:
    case F_TIMESTAMPTZ_LE_DATE:
    case F_TIMESTAMPTZ_LE_TIMESTAMP:
    case F_TIMESTAMPTZ_LT_DATE:
    case F_TIMESTAMPTZ_LT_TIMESTAMP:
    case F_TIMESTAMPTZ_NE_DATE:
    case F_TIMESTAMPTZ_NE_TIMESTAMP:
    case F_TS_MATCH_QV:
    case F_TS_MATCH_VQ:
    case F_TSQ_MCONTAINED:
    case F_TSQ_MCONTAINS:
    case F_TSQUERY_EQ:
    case F_TSQUERY_GE:
    case F_TSQUERY_GT:
    case F_TSQUERY_LE:
    case F_TSQUERY_LT:
    case F_TSQUERY_NE:
    case F_TSVECTOR_EQ:
    case F_TSVECTOR_GE:
    case F_TSVECTOR_GT:
    case F_TSVECTOR_LE:
    case F_TSVECTOR_LT:
    case F_TSVECTOR_NE:
        return Trust::always;
    case F_ARRAY_EQ:
    case F_ARRAY_GE:
    case F_ARRAY_GT:
    case F_ARRAY_LE:
    case F_ARRAY_LT:
    case F_ARRAY_NE:
    case F_ARRAYCONTAINED:
    case F_ARRAYCONTAINS:
    case F_ARRAYOVERLAP:
    case F_ELEM_CONTAINED_BY_MULTIRANGE:
    case F_ELEM_CONTAINED_BY_RANGE:
    case F_ENUM_EQ:
    case F_ENUM_GE:
    case F_ENUM_GT:
    case F_ENUM_LE:
    case F_ENUM_LT:
    case F_ENUM_NE:
    case F_MULTIRANGE_AFTER_MULTIRANGE:
    case F_MULTIRANGE_AFTER_RANGE:
    case F_MULTIRANGE_BEFORE_MULTIRANGE:
    case F_MULTIRANGE_BEFORE_RANGE:
    case F_MULTIRANGE_CONTAINED_BY_MULTIRANGE:
    case F_MULTIRANGE_CONTAINED_BY_RANGE:
    case F_MULTIRANGE_CONTAINS_ELEM:
    case F_MULTIRANGE_CONTAINS_MULTIRANGE:
    case F_MULTIRANGE_CONTAINS_RANGE:
    case F_MULTIRANGE_EQ:
    case F_MULTIRANGE_GE:
    case F_MULTIRANGE_GT:
    case F_MULTIRANGE_LE:
    case F_MULTIRANGE_LT:
    case F_MULTIRANGE_NE:
    case F_MULTIRANGE_OVERLAPS_MULTIRANGE:
    case F_MULTIRANGE_OVERLAPS_RANGE:
    case F_MULTIRANGE_OVERLEFT_MULTIRANGE:
    case F_MULTIRANGE_OVERLEFT_RANGE:
    case F_MULTIRANGE_OVERRIGHT_MULTIRANGE:
    case F_MULTIRANGE_OVERRIGHT_RANGE:
    case F_RANGE_AFTER:
    case F_RANGE_AFTER_MULTIRANGE:
    case F_RANGE_BEFORE:
    case F_RANGE_BEFORE_MULTIRANGE:
    case F_RANGE_CONTAINED_BY:
    case F_RANGE_CONTAINED_BY_MULTIRANGE:
    case F_RANGE_CONTAINS:
    case F_RANGE_CONTAINS_ELEM:
    case F_RANGE_CONTAINS_MULTIRANGE:
    case F_RANGE_EQ:
    case F_RANGE_GE:
    case F_RANGE_GT:
    case F_RANGE_LE:
    case F_RANGE_LT:
    case F_RANGE_NE:
    case F_RANGE_OVERLAPS:
    case F_RANGE_OVERLAPS_MULTIRANGE:
    case F_RANGE_OVERLEFT:
    case F_RANGE_OVERLEFT_MULTIRANGE:
    case F_RANGE_OVERRIGHT:
    case F_RANGE_OVERRIGHT_MULTIRANGE:
        return Trust::by_element;
    case F_BPCHARICLIKE:
    case F_BPCHARICNLIKE:
    case F_BPCHARLIKE:
    case F_BPCHARNLIKE:
    case F_BYTEALIKE:
    case F_BYTEANLIKE:
    case F_NAMEICLIKE:
    case F_NAMEICNLIKE:
    case F_NAMELIKE:
    case F_NAMENLIKE:
    case F_TEXTICLIKE:
    case F_TEXTICNLIKE:
    case F_TEXTLIKE:
    case F_TEXTNLIKE:
        return Trust::by_pattern;
    default:
        return Trust::none;
    }
}

bool is_plain_type(Oid type) {
    const Oid base = getBaseType(type);
    const Oid element = get_element_type(base);
    if (OidIsValid(element))
        return is_plain_element(getBaseType(element));
    return is_plain_element(base) || is_plain_range(base);
}

} // namespace tenancy::planner
