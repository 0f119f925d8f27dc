// Integers in their one canonical text, as PostgreSQL prints them, so that two texts that differ
// are never the same key: '042', ' 42', '+42' and '-0' are not integers here.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace tenancy {

// The value when `text` is what PostgreSQL prints for a bigint; nothing otherwise or out of range.
[[nodiscard]] std::optional<std::int64_t> parse_canonical_bigint(std::string_view text);

// The value when `text` is what PostgreSQL prints for an integer (32 bits).
[[nodiscard]] std::optional<std::int32_t> parse_canonical_integer(std::string_view text);

} // namespace tenancy
