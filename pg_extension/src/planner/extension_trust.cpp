// See extension_trust.hpp. Plain C style throughout.
#include "planner/extension_trust.hpp"

#include "bridge/entry.hpp"
#include "context/known_objects.hpp"

namespace tenancy::planner {

namespace {

// Extensions of PostgreSQL's own distribution whose operator classes raise nothing that depends on
// what they find in an index.
constexpr const char* trusted_extensions[] = {"pg_trgm", "btree_gin", "btree_gist"};

// pg_trgm's operators but those of distance, which have no estimate.
constexpr const char* trigram_functions[] = {
    "similarity_op", "word_similarity_op", "word_similarity_commutator_op",
    "strict_word_similarity_op", "strict_word_similarity_commutator_op"};

bool is_one_of(const char* name, const char* const* names, size_t count) {
    for (size_t at = 0; at < count; at++)
        if (name != nullptr && strcmp(name, names[at]) == 0)
            return true;
    return false;
}

const char* extension_of(Oid class_id, Oid object) {
    const Oid extension = getExtensionOfObject(class_id, object);
    return OidIsValid(extension) ? get_extension_name(extension) : nullptr;
}

bool is_in_c(Oid function) {
    HeapTuple tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
    if (!HeapTupleIsValid(tuple))
        return false;
    const bool found = reinterpret_cast<Form_pg_proc>(GETSTRUCT(tuple))->prolang == ClanguageId;
    ReleaseSysCache(tuple);
    return found;
}

// Who made the extension may add functions of his own to it, but none in C.
bool is_trigram_function(Oid function) {
    if (!is_one_of(get_func_name(function), trigram_functions, lengthof(trigram_functions)) ||
        !is_in_c(function))
        return false;
    const char* extension = extension_of(ProcedureRelationId, function);
    return extension != nullptr && strcmp(extension, "pg_trgm") == 0;
}

// A function's row: another one after every change, as of its owner.
struct Version {
    TransactionId made_by;
    ItemPointerData place;
};

struct Verdict {
    bool trusted;
    Version version;
};

constinit context::KnownObjects<Verdict, 64> known_functions{};
constinit context::KnownObjects<bool, 64> known_own{};
constinit context::KnownObjects<bool, 64> known_families{};

Version version_of(Oid function) {
    HeapTuple tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
    if (!HeapTupleIsValid(tuple))
        elog(ERROR, "cache lookup failed for function %u", function);
    const Version version{HeapTupleHeaderGetRawXmin(tuple->t_data), tuple->t_self};
    ReleaseSysCache(tuple);
    return version;
}

bool is_same(Version one, Version other) {
    return one.made_by == other.made_by && ItemPointerEquals(&one.place, &other.place);
}

// The name with schema and argument types, or nullptr.
const char* signature_of(Oid function) {
    if (get_func_name(function) == nullptr)
        return nullptr;
    return format_procedure_extended(function, FORMAT_PROC_FORCE_QUALIFY);
}

const char* owner_of(Oid function) {
    HeapTuple tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
    if (!HeapTupleIsValid(tuple))
        return "";
    const Oid owner = reinterpret_cast<Form_pg_proc>(GETSTRUCT(tuple))->proowner;
    ReleaseSysCache(tuple);
    return GetUserNameFromId(owner, false);
}

bool is_named_by_admin(Oid function) {
    const char* signature = signature_of(function);
    return signature != nullptr &&
           context::registry::is_trusted_function(signature, owner_of(function));
}

Verdict ask_about_function(Oid function) {
    const Version version = version_of(function);
    return {is_trigram_function(function) || is_named_by_admin(function), version};
}

// Those in C alone: the bodies of others the planner may put in.
bool ask_whether_own(Oid function) {
    if (!is_in_c(function))
        return false;
    const char* extension = extension_of(ProcedureRelationId, function);
    return extension != nullptr && strcmp(extension, "tenancy") == 0;
}

bool ask_about_family(Oid family) {
    return is_one_of(extension_of(OperatorFamilyRelationId, family), trusted_extensions,
                     lengthof(trusted_extensions));
}

} // namespace

bool is_trusted_addition(Oid function) {
    const Verdict known = known_functions.find_out(function, ask_about_function);
    if (is_same(known.version, version_of(function)))
        return known.trusted;
    known_functions.forget(function);
    return known_functions.find_out(function, ask_about_function).trusted;
}

bool is_own_function(Oid function) {
    return known_own.find_out(function, ask_whether_own);
}

bool is_trusted_family(Oid family) {
    return family < FirstNormalObjectId || known_families.find_out(family, ask_about_family);
}

} // namespace tenancy::planner

namespace tenancy {

TENANCY_FUNCTION(function_signature) {
    const char* signature = planner::signature_of(PG_GETARG_OID(0));
    if (signature == nullptr)
        PG_RETURN_NULL();
    PG_RETURN_TEXT_P(cstring_to_text(signature));
}

// Every backend looks trust up anew, and makes plans of functions anew.
TENANCY_FUNCTION(trust_changed) {
    if (!CALLED_AS_TRIGGER(fcinfo))
        elog(ERROR, "trust_changed is a trigger function");
    context::registry::signal_change();
    CacheInvalidateCatalog(ProcedureRelationId);
    return PointerGetDatum(nullptr);
}

} // namespace tenancy
