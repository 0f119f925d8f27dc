// The settings of tenancy.*: tenancy.context with its rule of who may assign it, and the switches
// an administrator sets.
#pragma once

#include "bridge/postgres.hpp"

namespace tenancy::context::setting {

enum class OnMissingContext : int { error, empty };
enum class Guard : int { off, standard, strict };

// Defines all settings. Called once, from _PG_init.
void define();

// What tenancy.context holds in this session; empty when none.
const char* value();
bool has_value();
bool says(const char* raw);

OnMissingContext on_missing_context();
Guard guard();
bool literal_tokens();
bool test_mode();
bool index_pushdown();

// Assigns tenancy.context on behalf of tenancy.enter: for the transaction, or for the session.
void assign(const char* raw, bool for_session);

// While alive, a SET that the server runs may assign tenancy.context: the statement has been found
// to be a top-level one that keeps the entry rule.
class AssignmentPermit {
public:
    AssignmentPermit();
    AssignmentPermit(const AssignmentPermit&) = delete;
    AssignmentPermit& operator=(const AssignmentPermit&) = delete;
    ~AssignmentPermit();
};

// Hands the pinned context to the parallel workers that start until end_sharing(level). After an
// error, the abort of the transaction takes the setting back instead.
int begin_sharing();
void end_sharing(int level);

} // namespace tenancy::context::setting
