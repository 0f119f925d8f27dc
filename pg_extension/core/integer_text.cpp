// Canonical integer texts. std::from_chars takes neither blanks nor '+', so what remains to refuse
// is '-0' and leading zeros.
#include "integer_text.hpp"

#include <charconv>

namespace tenancy {

namespace {

template <typename Integer>
std::optional<Integer> parse_canonical(std::string_view text) {
    const std::string_view digits = text.substr(text.starts_with('-') ? 1 : 0);
    if (digits.starts_with('0') && text != "0")
        return std::nullopt;
    Integer value = 0;
    const char* const begin = text.data();
    const char* const end = begin + text.size();
    const auto [stopped, error] = std::from_chars(begin, end, value);
    if (error != std::errc{} || stopped != end)
        return std::nullopt;
    return value;
}

} // namespace

std::optional<std::int64_t> parse_canonical_bigint(std::string_view text) {
    return parse_canonical<std::int64_t>(text);
}

std::optional<std::int32_t> parse_canonical_integer(std::string_view text) {
    return parse_canonical<std::int32_t>(text);
}

} // namespace tenancy
