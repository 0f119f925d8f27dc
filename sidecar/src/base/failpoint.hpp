// Places where tests end the process as kill -9 does, to see that what was begun is completed by
// the next one.
#pragma once

#include <string_view>

namespace tenancy::sidecar {

// In the program that tests run: TENANCYD_FAILPOINT=name or name:n (the n-th time, from 1) ends the
// process here by SIGKILL, and TENANCYD_FAILPOINT_LOG=file gets the name of each place that is
// reached, a line each. In the program that is installed: nothing.
void failpoint(std::string_view name);

} // namespace tenancy::sidecar
