// Durations as people write them: "500ms", "30s", "5m", "1h".
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/deadline.hpp"

namespace tenancy::sidecar {

// Nothing when it is not a whole number with one of those units, or longer than a year.
[[nodiscard]] std::optional<Milliseconds> parse_duration(std::string_view text);

// With the largest unit that leaves a whole number.
[[nodiscard]] std::string duration_text(Milliseconds duration);

} // namespace tenancy::sidecar
