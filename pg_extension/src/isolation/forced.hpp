// PostgreSQL runs the queries of foreign keys without FORCE ROW SECURITY, and the extension some of
// its own. That is meant for the tables that the query itself names. What else comes along is
// ordinary code of whoever wrote it, which would reach the rows of all tenants, and whose plans
// would outlive the query: views and rules that the query is rewritten with, functions that are
// called while it is planned and while it runs (a BEFORE trigger in a cascade).
#pragma once

#include "bridge/postgres.hpp"

namespace tenancy::isolation {

// Whether FORCE ROW SECURITY holds from here on. An error ends the (sub)transaction, which puts
// back what was at its start. Never raises.
void set_forced(bool on);

// To be called with a statement that is about to be planned. Where FORCE does not hold, gives the
// tables that views and rules brought in the policies that PostgreSQL's rewriter left out. Raises
// 0A000 where such a policy holds a sub-select.
void force_policies(Query* statement);

// ALTER TABLE checks a foreign key by one query as the owner, from whom FORCE would hide rows: the
// key would be marked as valid, whatever they hold. PostgreSQL asks for permission on the two
// tables (a list of RangeTblEntry *) just before, and for this query alone: where one is protected,
// or about to be, FORCE does not hold from `begin` until the query has started, which `end` is
// told. `begin` may raise, `end` never does.
void begin_key_check(const List* tables);
void end_key_check();

// While alive, a command runs; what `begin` began in it ends with it. Never raises.
class KeyCheckScope {
public:
    KeyCheckScope() noexcept;
    KeyCheckScope(const KeyCheckScope&) = delete;
    KeyCheckScope& operator=(const KeyCheckScope&) = delete;
    ~KeyCheckScope();

private:
    bool outer_; // the command is called while another one's key is checked
};

// While alive, FORCE ROW SECURITY holds for what begins. Never raises.
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
