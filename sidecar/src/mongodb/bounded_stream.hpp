// A stream of the driver whose reads and writes end by a time limit that changes from call to call.
// The driver itself takes its time limits only once, when a client is made.
#pragma once

#include <mongoc/mongoc.h>

#include "base/deadline.hpp"

namespace tenancy::sidecar::mongodb {

// Owns `inner`. `limit` is looked at again in each call, and has to outlive the stream.
[[nodiscard]] mongoc_stream_t* make_bounded(mongoc_stream_t* inner, const Deadline* limit);

} // namespace tenancy::sidecar::mongodb
