// See borrowed_rights.hpp.
#include "isolation/borrowed_rights.hpp"

namespace tenancy::isolation {

namespace {

constexpr const char* functions_of_owners[] = {"protect",   "protect_plan", "fill_tenant_column",
                                               "unprotect", "share",        "unshare",
                                               "exempt",    "unexempt"};

[[noreturn]] void refuse(const char* function) {
    ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                    errmsg("permission denied to call tenancy.%s for another role", function),
                    errdetail("The code that calls it runs with the rights of role \"%s\".",
                              GetUserNameFromId(GetUserId(), false)),
                    errhint("Call it as a statement of its own.")));
    pg_unreachable();
}

} // namespace

void refuse_borrowed_rights(Oid function) {
    if (function < FirstNormalObjectId || GetUserId() == GetOuterUserId() || superuser() ||
        get_func_namespace(function) != get_namespace_oid("tenancy", true))
        return;
    const char* name = get_func_name(function);
    for (const char* own : functions_of_owners)
        if (name != nullptr && strcmp(name, own) == 0 &&
            !has_privs_of_role(GetUserId(), GetOuterUserId()))
            refuse(own);
}

} // namespace tenancy::isolation
