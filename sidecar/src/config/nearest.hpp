// What somebody who mistyped a name may have meant.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tenancy::sidecar {

// The known name that takes the fewest changes of a letter (swapping neighbours is one), or nothing
// when all of them take more than a third of the name's length.
[[nodiscard]] std::optional<std::string> nearest(std::string_view name,
                                                 const std::vector<std::string>& known);

} // namespace tenancy::sidecar
