// PostgreSQL runs the queries of foreign keys without FORCE ROW SECURITY, and the extension some of
// its own. That is settled once a query is planned. The code that it calls (a BEFORE trigger in a
// cascade) is ordinary code of the table's owner, which would reach the rows of all tenants, and
// whose plans would outlive the cascade: PostgreSQL keeps them for the role, whatever the context.
#pragma once

#include "bridge/postgres.hpp"

namespace tenancy::isolation {

// While alive, FORCE ROW SECURITY holds for what is planned. Never raises.
class ForcedRowSecurity {
public:
    ForcedRowSecurity() noexcept {
        GetUserIdAndSecContext(&user_, &security_);
        if ((security_ & SECURITY_NOFORCE_RLS) != 0)
            SetUserIdAndSecContext(user_, security_ & ~SECURITY_NOFORCE_RLS);
    }
    ForcedRowSecurity(const ForcedRowSecurity&) = delete;
    ForcedRowSecurity& operator=(const ForcedRowSecurity&) = delete;
    ~ForcedRowSecurity() {
        if ((security_ & SECURITY_NOFORCE_RLS) != 0)
            SetUserIdAndSecContext(user_, security_);
    }

private:
    Oid user_ = InvalidOid;
    int security_ = 0;
};

} // namespace tenancy::isolation
