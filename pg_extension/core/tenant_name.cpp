// The rules for tenants' names.
#include "tenant_name.hpp"

#include "control_character.hpp"
#include "error.hpp"
#include "sqlstate.hpp"

#include <algorithm>

namespace tenancy {

namespace {

constexpr const char* designator_hint =
    "A tenant is named by its slug, its id (a uuid with hyphens), an alias written kind:value, or "
    "a signed token.";

bool is_lower(char c) {
    return c >= 'a' && c <= 'z';
}

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

[[noreturn]] void refuse() {
    throw Error(sqlstate::name_malformed, "malformed name of a tenant", designator_hint);
}

Designator classify_alias(std::string_view text, std::size_t colon) {
    Designator designator;
    designator.kind = Designator::Kind::alias;
    designator.alias_kind = text.substr(0, colon);
    designator.value = text.substr(colon + 1);
    if (designator.alias_kind == "external")
        designator.kind = Designator::Kind::external_id;
    else if (!is_alias_kind(designator.alias_kind) || is_reserved_alias_kind(designator.alias_kind))
        refuse();
    if (!is_alias_value(designator.value))
        refuse();
    return designator;
}

} // namespace

bool is_slug(std::string_view text) {
    if (text.empty() || text.size() > max_slug_bytes || text.front() == '-')
        return false;
    const auto allowed = [](char c) { return is_lower(c) || is_digit(c) || c == '-'; };
    return std::all_of(text.begin(), text.end(), allowed) && !reads_as_uuid(text);
}

bool is_alias_kind(std::string_view text) {
    if (text.empty() || text.size() > max_alias_kind_bytes || !is_lower(text.front()))
        return false;
    const auto allowed = [](char c) { return is_lower(c) || is_digit(c) || c == '_'; };
    return std::all_of(text.begin(), text.end(), allowed);
}

bool is_reserved_alias_kind(std::string_view kind) {
    return kind == "slug" || kind == "id" || kind == "external" || kind == "token";
}

bool is_alias_value(std::string_view text) {
    if (text.empty() || text.size() > max_alias_value_bytes)
        return false;
    if (text.front() == ' ' || text.back() == ' ')
        return false;
    return !has_control_character(text);
}

Designator classify_designator(std::string_view text) {
    if (const std::size_t colon = text.find(':'); colon != std::string_view::npos)
        return classify_alias(text, colon);
    Designator designator;
    designator.value = text;
    if (std::count(text.begin(), text.end(), '.') == 2) {
        designator.kind = Designator::Kind::token;
    } else if (const std::optional<Uuid> id = parse_uuid_any_case(text)) {
        designator.kind = Designator::Kind::id;
        designator.id = *id;
    } else if (!is_slug(text)) {
        refuse();
    }
    return designator;
}

std::string channel_prefix(const Uuid& tenant_id) {
    return "t_" + print_uuid_hex(tenant_id) + "_";
}

} // namespace tenancy
