// Places where tests end the process as kill -9 does, to see that what was begun is completed by
// the next one. Built with TENANCY_FAILPOINTS only; otherwise reaching one does nothing.
#pragma once

#include <string_view>

namespace tenancy::sidecar {

// TENANCYD_FAILPOINT=name or name:n (the n-th time, from 1) ends the process here by SIGKILL.
// TENANCYD_FAILPOINT_LOG=file gets the name of each place that is reached, a line each.
#ifdef TENANCY_FAILPOINTS
void failpoint(std::string_view name);
#else
inline void failpoint(std::string_view) {}
#endif

} // namespace tenancy::sidecar
