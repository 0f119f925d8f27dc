// Text that comes from a database or a store, made fit to be shown.
#pragma once

#include <string>

namespace tenancy::sidecar {

// The text on one line: each control character is a space.
[[nodiscard]] std::string printable(std::string text);

} // namespace tenancy::sidecar
