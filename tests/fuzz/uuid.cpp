// UUIDs: the canonical text is the only one, and what PostgreSQL's type reads is known in full.
#include "uuid.hpp"

#include "property.hpp"

#include <algorithm>
#include <cctype>

namespace {

using tenancy::Uuid;
using tenancy::fuzz::require;

// As the server reads it: 16 pairs of digits, a hyphen allowed after every second but the last,
// braces round all of it.
bool read_by_server(std::string_view text) {
    const bool braces = text.starts_with('{');
    if (braces)
        text.remove_prefix(1);
    for (int pair = 0; pair < 16; ++pair) {
        if (text.size() < 2 || std::isxdigit(static_cast<unsigned char>(text[0])) == 0 ||
            std::isxdigit(static_cast<unsigned char>(text[1])) == 0)
            return false;
        text.remove_prefix(2);
        if (text.starts_with('-') && pair % 2 == 1 && pair < 15)
            text.remove_prefix(1);
    }
    return text == (braces ? "}" : "");
}

void try_text(std::string_view input) {
    const std::optional<Uuid> exact = tenancy::parse_uuid(input);
    const std::optional<Uuid> any_case = tenancy::parse_uuid_any_case(input);
    if (exact)
        require(tenancy::print_uuid(*exact) == input, "what is read prints back");
    require(any_case == tenancy::parse_uuid(tenancy::fuzz::to_lower(input)),
            "any case is read as its lower case");
    require(!exact || any_case == exact, "the canonical text is one of any case");
    require(tenancy::reads_as_uuid(input) == read_by_server(input), "the server reads the same");
    require(!any_case || tenancy::reads_as_uuid(input), "the server reads what is read here");
}

void try_bytes(std::string_view input) {
    Uuid uuid;
    std::copy_n(input.begin(), std::min(input.size(), uuid.bytes.size()), uuid.bytes.begin());
    const std::string text = tenancy::print_uuid(uuid);
    require(tenancy::parse_uuid(text) == uuid, "what is printed reads back");
    std::string digits = text;
    std::erase(digits, '-');
    require(tenancy::print_uuid_hex(uuid) == digits, "both texts have the same digits");
    require(tenancy::reads_as_uuid(digits), "the server reads what is printed");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input = tenancy::fuzz::text_of(data, size);
    try_text(input);
    try_bytes(input);
    return 0;
}
