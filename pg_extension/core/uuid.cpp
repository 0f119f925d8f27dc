// UUID texts, read and printed.
#include "uuid.hpp"

#include <cstddef>

namespace tenancy {

namespace {

constexpr std::string_view lower_digits = "0123456789abcdef";
constexpr std::size_t text_size = 36;

constexpr bool is_hyphen_position(std::size_t position) {
    return position == 8 || position == 13 || position == 18 || position == 23;
}

// The value of a hexadecimal digit, or -1.
int digit_value(char character, bool any_case) {
    if (any_case && character >= 'A' && character <= 'F')
        return character - 'A' + 10;
    const std::size_t value = lower_digits.find(character);
    return value == std::string_view::npos ? -1 : static_cast<int>(value);
}

std::optional<Uuid> read(std::string_view text, bool any_case) {
    if (text.size() != text_size)
        return std::nullopt;
    Uuid uuid;
    std::size_t digits = 0;
    for (std::size_t position = 0; position < text_size; ++position) {
        if (is_hyphen_position(position)) {
            if (text[position] != '-')
                return std::nullopt;
            continue;
        }
        const int value = digit_value(text[position], any_case);
        if (value < 0)
            return std::nullopt;
        std::uint8_t& byte = uuid.bytes[digits / 2];
        byte = static_cast<std::uint8_t>(byte << 4 | value);
        ++digits;
    }
    return uuid;
}

void append_byte(std::string& text, std::uint8_t byte) {
    text.push_back(lower_digits[byte >> 4]);
    text.push_back(lower_digits[byte & 0xf]);
}

} // namespace

std::optional<Uuid> parse_uuid(std::string_view text) {
    return read(text, false);
}

std::optional<Uuid> parse_uuid_any_case(std::string_view text) {
    return read(text, true);
}

bool reads_as_uuid(std::string_view text) {
    if (text.size() >= 2 && text.front() == '{' && text.back() == '}')
        text = text.substr(1, text.size() - 2);
    std::size_t digits = 0;
    bool hyphen_allowed = false; // once after each group of four, not at the end
    for (const char character : text) {
        if (character == '-' && hyphen_allowed) {
            hyphen_allowed = false;
            continue;
        }
        if (digits == 32 || digit_value(character, true) < 0)
            return false;
        ++digits;
        hyphen_allowed = digits % 4 == 0 && digits < 32;
    }
    return digits == 32;
}

std::string print_uuid(const Uuid& uuid) {
    std::string text;
    text.reserve(text_size);
    for (const std::uint8_t byte : uuid.bytes) {
        if (is_hyphen_position(text.size()))
            text.push_back('-');
        append_byte(text, byte);
    }
    return text;
}

std::string print_uuid_hex(const Uuid& uuid) {
    std::string text;
    text.reserve(2 * uuid.bytes.size());
    for (const std::uint8_t byte : uuid.bytes)
        append_byte(text, byte);
    return text;
}

} // namespace tenancy
