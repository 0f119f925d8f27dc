// Which relations are protected, asked of the catalog itself: a restrictive policy whose predicate
// is `column = tenancy.current_tenant_...()`. Answers are cached in each backend and dropped when
// PostgreSQL invalidates the relation.
#pragma once

#include "bridge/postgres.hpp"
#include "context/key_function.hpp"

namespace tenancy::isolation {

using context::KeyKind;

struct Protection {
    KeyKind kind;   // none: not protected
    bool complete;  // restrictive policies for every command, row security forced, NOT NULL
    bool shared;    // carries the policy of tenancy.share()
    bool recorded;  // it, or a table above it, stands in tenancy.protected_table
    bool unchecked; // triggers of its foreign keys or other constraints are switched off
    AttrNumber tenant_column;
};

// The protection of a relation; all zero for one that does not exist. May raise (on a miss only,
// about 20 ns on a hit).
Protection protection_of(Oid relation);

inline bool is_protected(Oid relation) {
    return protection_of(relation).kind != KeyKind::none;
}

// The column in an expression of the form that protect() confines tables by, `column =
// current_tenant_...()`; InvalidAttrNumber where it has another. A statement may say the same of
// any other column.
AttrNumber compared_column(const Node* expression);

// Whether the relation was protected and was opened behind the extension's back: by a session
// without the library, or in the catalog itself.
inline bool is_broken(Oid relation) {
    const Protection protection = protection_of(relation);
    return protection.recorded && !protection.complete;
}

// Whether the relation is partitioned and has a protected partition at any depth without being
// protected itself: rows that are inserted through it are under no policy. Cached like
// protection_of.
bool leads_to_protected(Oid relation);

// Whether the relation is not protected and has protected children at any depth, whatever kind of
// parent it is: TRUNCATE empties them with it. Looks into the catalog each time.
bool has_protected_children(Oid relation);

// Whether any relation of this database is protected: reads pg_policy.
bool any_protected();

// To be called for every relation cache invalidation; InvalidOid means all. Never raises.
void isolation_relcache_callback(Oid relation);

// Policies made by tenancy.protect() and tenancy.share().
bool is_own_policy(const char* name);
// Triggers made by this extension on users' tables.
bool is_own_trigger(const char* name);

} // namespace tenancy::isolation
