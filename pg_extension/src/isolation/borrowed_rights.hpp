// In a SECURITY DEFINER function the outer user's rights are its caller's, and not for its author
// to use. What anybody may call and asks for the outer user's rights is refused there.
#pragma once

#include "bridge/postgres.hpp"

namespace tenancy::isolation {

// Before a function is called. Raises 42501.
void refuse_borrowed_rights(Oid function);

} // namespace tenancy::isolation
