// A strict JSON reader (RFC 8259, restricted as RFC 7493 I-JSON): what two parsers could read in
// two ways is refused. It exists for tokens and keys, where a second reading is an attack.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tenancy {

inline constexpr std::size_t json_max_bytes = 16384;
inline constexpr std::size_t json_max_depth = 8; // the outermost object or array is depth 1

struct JsonMember;

// A value that owns all that is below it. `number` is a JSON number that is not an integer that
// fits 64 bits written the one plain way: fractions, exponents, -0 and larger ones. Its value is
// dropped on purpose, so nobody can round it.
struct JsonValue {
    enum class Kind : std::uint8_t { null, boolean, integer, number, string, array, object };

    Kind kind = Kind::null;
    bool boolean = false;
    std::int64_t integer = 0;
    std::string string;              // UTF-8 without NUL
    std::vector<JsonValue> elements; // of an array
    std::vector<JsonMember> members; // of an object, in the order of the text, names are unique

    // The member of this object, or nullptr; borrowed from this value. nullptr for other kinds.
    [[nodiscard]] const JsonValue* find(std::string_view name) const;
};

struct JsonMember {
    std::string name; // UTF-8 without NUL
    JsonValue value;
};

// Reads a whole JSON text. Refused, beside syntax errors: more than json_max_bytes, deeper than
// json_max_depth, a member name twice in one object (after unescaping, at any level), invalid
// UTF-8, lone surrogates, NUL (raw or as \u0000), a byte order mark, anything after the value,
// numbers outside the range of double. Throws Error(sqlstate, "<subject> ..."); the message never
// quotes the text. `subject` is a noun such as "token header".
[[nodiscard]] JsonValue read_json(std::string_view text, const char* sqlstate,
                                  std::string_view subject);

// As read_json, for a text that has to be an object.
[[nodiscard]] JsonValue read_json_object(std::string_view text, const char* sqlstate,
                                         std::string_view subject);

} // namespace tenancy
