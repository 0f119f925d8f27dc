// The strict JSON reader: what it accepts prints back, reads the same in any spelling, and keeps
// the limits.
#include "json.hpp"

#include "property.hpp"

#include <algorithm>
#include <array>
#include <set>

namespace {

using tenancy::JsonValue;
using tenancy::fuzz::require;
using Kind = JsonValue::Kind;

constexpr const char* sqlstate = "TN006";
constexpr const char* subject = "text";

// RFC 3629: no overlong form, no surrogate, nothing above U+10FFFF.
bool is_utf8(std::string_view text) {
    std::size_t at = 0;
    while (at < text.size()) {
        const auto lead = static_cast<unsigned char>(text[at++]);
        const int more = lead < 0x80 ? 0 : lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
        if (lead >= 0x80 && (lead < 0xc2 || lead > 0xf4))
            return false;
        std::uint32_t code = more == 0 ? lead : lead & (0x3fU >> more);
        for (int i = 0; i < more; ++i, ++at) {
            if (at == text.size() || (static_cast<unsigned char>(text[at]) & 0xc0) != 0x80)
                return false;
            code = (code << 6) | (static_cast<unsigned char>(text[at]) & 0x3fU);
        }
        constexpr std::array<std::uint32_t, 4> smallest = {0, 0x80, 0x800, 0x10000};
        if (code < smallest[static_cast<std::size_t>(more)] || code > 0x10ffff ||
            (code >= 0xd800 && code <= 0xdfff))
            return false;
    }
    return true;
}

// Every character that may be escaped as one or another form is, so that two spellings differ.
std::string print_string(std::string_view text, bool escaped) {
    std::string printed = "\"";
    for (const char character : text) {
        const auto byte = static_cast<unsigned char>(character);
        if (byte < 0x20 || byte == '"' || byte == '\\' || (escaped && byte < 0x80)) {
            constexpr std::string_view digits = "0123456789abcdef";
            printed += "\\u00";
            printed += digits[byte >> 4];
            printed += digits[byte & 0xf];
        } else {
            printed += character;
        }
    }
    return printed + '"';
}

std::string print(const JsonValue& value, bool escaped);

std::string print_members(const JsonValue& value, bool escaped) {
    std::string printed;
    for (const tenancy::JsonMember& member : value.members)
        printed += (printed.empty() ? "" : ",") + print_string(member.name, escaped) + ":" +
                   print(member.value, escaped);
    return "{" + printed + "}";
}

std::string print_elements(const JsonValue& value, bool escaped) {
    std::string printed;
    for (const JsonValue& element : value.elements)
        printed += (printed.empty() ? "" : ",") + print(element, escaped);
    return "[" + printed + "]";
}

std::string print(const JsonValue& value, bool escaped) {
    switch (value.kind) {
    case Kind::null:
        return "null";
    case Kind::boolean:
        return value.boolean ? "true" : "false";
    case Kind::integer:
        return std::to_string(value.integer);
    case Kind::number:
        return "1.5"; // its value is dropped
    case Kind::string:
        return print_string(value.string, escaped);
    case Kind::array:
        return print_elements(value, escaped);
    case Kind::object:
        return print_members(value, escaped);
    }
    return {};
}

void check_text(const std::string& text) {
    require(text.find('\0') == std::string::npos, "no string has a NUL");
    require(is_utf8(text), "strings are UTF-8");
}

void check_limits(const JsonValue& value, std::size_t depth) {
    check_text(value.string);
    const bool container = value.kind == Kind::array || value.kind == Kind::object;
    require(!container || depth < tenancy::json_max_depth, "nesting has a limit");
    require(value.kind == Kind::array || value.elements.empty(), "only an array has elements");
    require(value.kind == Kind::object || value.members.empty(), "only an object has members");
    for (const JsonValue& element : value.elements)
        check_limits(element, depth + 1);
    std::set<std::string_view> names;
    for (const tenancy::JsonMember& member : value.members) {
        check_text(member.name);
        require(names.insert(member.name).second, "no member comes twice");
        require(value.find(member.name) == &member.value, "a member is found by its name");
        check_limits(member.value, depth + 1);
    }
}

JsonValue read(std::string_view text) {
    return tenancy::read_json(text, sqlstate, subject);
}

void check_accepted(const JsonValue& value, std::string_view input) {
    require(input.size() <= tenancy::json_max_bytes, "length has a limit");
    require(is_utf8(input), "the text is UTF-8");
    check_limits(value, 0);
    const std::string printed = print(value, false);
    require(printed.size() > tenancy::json_max_bytes || print(read(printed), false) == printed,
            "what is read prints back");
    const std::string escaped = print(value, true);
    require(escaped.size() > tenancy::json_max_bytes || print(read(escaped), false) == printed,
            "another spelling reads the same");
    require(tenancy::fuzz::refusal([&] { (void)read(std::string(input) + "x"); }).has_value(),
            "nothing may follow the value");
    const bool object =
        !tenancy::fuzz::refusal([&] { (void)tenancy::read_json_object(input, sqlstate, subject); });
    require(object == (value.kind == Kind::object), "an object is read as one");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input = tenancy::fuzz::text_of(data, size);
    JsonValue value;
    const auto refused = tenancy::fuzz::refusal([&] { value = read(input); });
    if (refused)
        tenancy::fuzz::require_silent(*refused, sqlstate);
    else
        check_accepted(value, input);
    return 0;
}
