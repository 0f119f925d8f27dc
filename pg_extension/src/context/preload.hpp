// Being there from a session's first command on: whether this library was, and the database's
// setting that sees to it where postgresql.conf does not.
#pragma once

#include "bridge/postgres.hpp"

namespace tenancy::context::preload {

// While the library is being loaded: whether that is before the session's first command.
bool in_time();

// When this extension is dropped, takes the library out of the database's
// session_preload_libraries, where the install script had put it.
void extension_dropped(Oid extension);

} // namespace tenancy::context::preload
