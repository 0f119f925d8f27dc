// The rows of a COPY as a node of the executor. They are read one by one, each when the one before
// it has been inserted, and are nowhere collected.
#pragma once

#include "bridge/postgres.hpp"

namespace tenancy::copy {

// What one COPY reads. The executor's node points to it: it must outlive the query.
struct RowSource {
    Relation target;      // whose columns the rows have
    List* where;          // conditions on a row, all of which must hold; may be NIL
    CopyFromState reader; // to be set between ExecutorStart and ExecutorRun
    bool reading;         // whether the reader's line is the one that is worked on
};

// Puts the rows of `source` in the place of those that `plan`, an INSERT into its target, inserts.
void read_rows_from(PlannedStmt* plan, RowSource& source);

} // namespace tenancy::copy
