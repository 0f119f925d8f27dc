// SQLSTATE constants of core/sqlstate.hpp in ereport.
#pragma once

#include "bridge/postgres.hpp"

namespace tenancy {

// PostgreSQL's packed form of a five-character SQLSTATE.
constexpr int packed(const char* s) {
    return MAKE_SQLSTATE(s[0], s[1], s[2], s[3], s[4]);
}

// For use inside ereport(...), beside errmsg().
inline int tn_errcode(const char* sqlstate) {
    return errcode(packed(sqlstate));
}

} // namespace tenancy
