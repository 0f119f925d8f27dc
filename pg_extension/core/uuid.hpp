// UUIDs (RFC 9562) in their one canonical text: 36 characters, lower-case, hyphenated.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tenancy {

// The 16 bytes in network order: the layout of PostgreSQL's pg_uuid_t.
struct Uuid {
    std::array<std::uint8_t, 16> bytes{};

    friend bool operator==(const Uuid&, const Uuid&) = default;
};

// The UUID that `text` is the canonical text of; nothing for any other form, upper case included.
[[nodiscard]] std::optional<Uuid> parse_uuid(std::string_view text);

// As parse_uuid, but upper-case hexadecimal digits are accepted.
[[nodiscard]] std::optional<Uuid> parse_uuid_any_case(std::string_view text);

// Whether PostgreSQL's uuid type accepts `text` in any of its forms: braces, upper case, hyphens
// after any group of four digits or none at all. No slug may be such a text.
[[nodiscard]] bool reads_as_uuid(std::string_view text);

// The canonical text.
[[nodiscard]] std::string print_uuid(const Uuid& uuid);

// The 32 lower-case hexadecimal digits without hyphens, as names of outside objects use them.
[[nodiscard]] std::string print_uuid_hex(const Uuid& uuid);

} // namespace tenancy
