// The context of this transaction: which tenant, as whom, in which mode. One plain struct, pinned
// when it is first accepted and final until the transaction ends. Everything here belongs to one
// backend; functions may ereport unless they say otherwise.
#pragma once

#include "bridge/postgres.hpp"

namespace tenancy::context {

enum class Kind : uint8 { none, tenant, all };

// Where the right to the tenant comes from.
enum class Authority : uint8 { none, superuser, grant, token, internal };

// Longest texts a context carries, in bytes with the final NUL.
constexpr int slug_size = 40;
constexpr int external_id_size = 256;
constexpr int actor_size = 256;
constexpr int issuer_size = 256;
constexpr int kid_size = 65;
constexpr int jti_size = 256;

// Plain data: copied into caches, shared with parallel workers byte for byte.
struct Context {
    Kind kind;
    Authority authority;
    bool read_only;
    bool session_allowed; // the authority covers a context that outlives the transaction
    bool has_external_bigint;
    Oid outer_user; // GetOuterUserId() when it was made: SET ROLE counts, SECURITY DEFINER does not
    pg_uuid_t tenant;
    int64 external_bigint;
    TimestampTz expires; // DT_NOEND: never
    uint64 epoch;        // of the registry, when this was last found good
    int64 grant_id;
    uint64 key_fingerprint; // of the key that verified the token
    char slug[slug_size];
    char tier[slug_size];
    char external_id[external_id_size]; // empty: none
    char actor[actor_size];
    char issuer[issuer_size];
    char kid[kid_size];
    char jti[jti_size];
};

// What the hooks know about where in a statement this backend is.
struct Depth {
    int executor; // nested ExecutorRun and ExecutorFinish
    int utility;  // nested ProcessUtility
    int planner;  // nested planning with no execution inside
    int altering; // inside ALTER TABLE, which may rewrite a table: executor + 1 where it began
    bool writing; // inside a statement that writes, not counting what it calls
};
extern Depth depth;

// How deep in other statements this one stands. What it calls stands deeper.
struct Level {
    int executor;
    int utility;
    int planner;
    friend bool operator==(const Level&, const Level&) = default;
};
inline Level level() {
    return {depth.executor, depth.utility, depth.planner};
}

// The context of this transaction, checked against the setting and the outer user; nullptr when
// there is none. Raises TN003 on a mismatch. A load and two compares when nothing changed.
const Context* current();

// The pinned context while setting and text agreed when they were last compared, else nullptr: what
// current() returns once the outer user is found to be the same. For what is called for each row.
extern const Context* usable;

// The tenant's context where current() would return it without a look at anything else; nullptr
// where current() has to be asked. Never raises.
inline const Context* usable_tenant() {
    return usable != nullptr && usable->kind == Kind::tenant &&
                   usable->outer_user == GetOuterUserId()
               ? usable
               : nullptr;
}

// As current(), but raises TN001 when there is none, and accepts only a single tenant.
const Context& require_tenant();

// The context of one tenant whose value the planner may use for estimates, which nobody gets to
// see: unchecked, as a plan may be made before its statement begins. nullptr when there is none.
const Context* for_planning();

// Whether a context is pinned in this transaction, agreeing with the setting or not.
bool is_pinned();
const Context& pinned();

// Makes `context` the context of this transaction. `raw` is the text it was made from and what the
// setting must go on saying; it is copied. The caller has made sure that nothing else is pinned.
void pin(const Context& context, const char* raw);

// Replaces the pinned context at a statement's border, for tenancy.test_mode alone.
void replace(const Context& context, const char* raw);

// In a parallel worker: takes over what the leader shared.
void adopt_in_worker(const Context& context);

// Forgets the pin: at the end of a transaction. Never raises.
void unpin();

// To be called whenever the setting was assigned: the next use compares again. Never raises.
void setting_changed();

// Before each statement: takes in invalidations, makes a session's context that of this
// transaction, checks setting, outer user, expiry, state, grant and key. Raises TN003, TN005,
// TN007, 42501, 25006.
void check_statement();

// The same before COMMIT, for a context that is pinned.
void check_commit();

// While alive, this backend works for `tenant` on the extension's own account, whatever the
// tenant's state, as erasing does. Keep pg_call round every PostgreSQL call meanwhile, so that the
// destructor runs.
class InternalContext {
public:
    explicit InternalContext(const pg_uuid_t& tenant);
    InternalContext(const InternalContext&) = delete;
    InternalContext& operator=(const InternalContext&) = delete;
    ~InternalContext();

private:
    Context saved_;
    bool was_pinned_;
    const Context* was_usable_;
};

} // namespace tenancy::context
