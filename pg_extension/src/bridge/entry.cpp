// How a C++ error becomes an ereport; see entry.hpp.
#include <cstdio>

#include "bridge/entry.hpp"

namespace tenancy::bridge {

// Cuts between characters, not within one.
template <size_t Size>
static void keep(char (&target)[Size], const char* text) noexcept {
    const int length = static_cast<int>(strnlen(text, 4 * Size));
    const int kept = pg_mbcliplen(text, length, Size - 1);
    memcpy(target, text, static_cast<size_t>(kept));
    target[kept] = '\0';
}

void describe(Report& report, const char* sqlstate, const char* message,
              const char* hint) noexcept {
    report.postgres = nullptr;
    keep(report.sqlstate, sqlstate);
    keep(report.message, message);
    keep(report.hint, hint);
    report.detail[0] = '\0';
}

void describe(Report& report, const Error& error) noexcept {
    describe(report, error.sqlstate(), error.what(), error.hint().c_str());
    keep(report.detail, error.detail().c_str());
}

void raise(const Report& report) {
    if (report.postgres != nullptr)
        ReThrowError(report.postgres);

    const char* s = report.sqlstate;
    ereport(ERROR,
            (errcode(MAKE_SQLSTATE(s[0], s[1], s[2], s[3], s[4])), errmsg("%s", report.message),
             report.detail[0] != '\0' ? errdetail("%s", report.detail) : 0,
             report.hint[0] != '\0' ? errhint("%s", report.hint) : 0));
    pg_unreachable();
}

} // namespace tenancy::bridge
