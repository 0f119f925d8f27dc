// The version of tenancyd, which is that of the extension it was built with.
#pragma once

#include <string_view>

namespace tenancy::sidecar {

inline constexpr std::string_view version = TENANCY_VERSION;

} // namespace tenancy::sidecar
