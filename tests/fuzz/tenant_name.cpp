// Designators: a text names a tenant in exactly one way or is refused, and the parts are the text.
#include "tenant_name.hpp"

#include "control_character.hpp"
#include "property.hpp"
#include "sqlstate.hpp"

#include <algorithm>

namespace {

using tenancy::Designator;
using tenancy::fuzz::require;

bool consists_of(std::string_view text, std::string_view allowed) {
    return text.find_first_not_of(allowed) == std::string_view::npos;
}

// What the header says of slugs.
bool slug_by_definition(std::string_view text) {
    return !text.empty() && text.size() <= tenancy::max_slug_bytes && text.front() != '-' &&
           consists_of(text, "abcdefghijklmnopqrstuvwxyz0123456789-") &&
           !tenancy::reads_as_uuid(text);
}

void check_value(std::string_view value) {
    require(tenancy::is_alias_value(value), "the value of an alias is one");
    require(!value.empty() && value.size() <= tenancy::max_alias_value_bytes,
            "the value of an alias has 1 to 255 bytes");
    require(!tenancy::has_control_character(value) && value.front() != ' ' && value.back() != ' ',
            "the value of an alias has no control character and no blank at an end");
}

void check_alias(const Designator& named, std::string_view input) {
    require(std::string(named.alias_kind) + ":" + std::string(named.value) == input,
            "the parts of an alias are the text");
    require(named.alias_kind.find(':') == std::string_view::npos, "the first colon divides");
    require(tenancy::is_alias_kind(named.alias_kind), "the kind of an alias is one");
    require((named.kind == Designator::Kind::external_id) == (named.alias_kind == "external"),
            "external: names an external id and nothing else does");
    require(named.kind == Designator::Kind::external_id ||
                !tenancy::is_reserved_alias_kind(named.alias_kind),
            "no alias is of a reserved kind");
    check_value(named.value);
}

void check_plain(const Designator& named, std::string_view input) {
    require(input.find(':') == std::string_view::npos, "what has a colon is an alias");
    require(named.value == input && named.alias_kind.empty(), "the value is the text");
    const bool two_dots = std::count(input.begin(), input.end(), '.') == 2;
    require(two_dots == (named.kind == Designator::Kind::token), "two dots make a token");
    if (named.kind == Designator::Kind::id)
        require(tenancy::print_uuid(named.id) == tenancy::fuzz::to_lower(input),
                "an id prints back");
    if (named.kind == Designator::Kind::slug)
        require(slug_by_definition(input), "a slug is well formed");
}

// What is refused has no form of a name.
void check_refused(std::string_view input) {
    require(!slug_by_definition(input), "no slug is refused");
    require(!tenancy::parse_uuid_any_case(input), "no id is refused");
    require(input.find(':') != std::string_view::npos ||
                std::count(input.begin(), input.end(), '.') != 2,
            "no token is refused");
    const std::size_t colon = std::min(input.find(':'), input.size());
    const std::string_view kind = input.substr(0, colon);
    const std::string_view value = colon < input.size() ? input.substr(colon + 1) : "";
    require(!tenancy::is_alias_kind(kind) || !tenancy::is_alias_value(value) ||
                (tenancy::is_reserved_alias_kind(kind) && kind != "external"),
            "no alias is refused");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input = tenancy::fuzz::text_of(data, size);
    require(tenancy::is_slug(input) == slug_by_definition(input), "slugs are what they are");
    Designator named;
    const auto refused =
        tenancy::fuzz::refusal([&] { named = tenancy::classify_designator(input); });
    if (refused) {
        tenancy::fuzz::require_silent(*refused, tenancy::sqlstate::name_malformed);
        check_refused(input);
    } else if (named.kind == Designator::Kind::alias ||
               named.kind == Designator::Kind::external_id) {
        check_alias(named, input);
    } else {
        check_plain(named, input);
    }
    return 0;
}
