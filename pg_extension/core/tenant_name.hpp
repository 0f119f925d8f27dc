// The names a tenant goes by: slug, id, external id and aliases; what a text that designates a
// tenant is; and the names of outside objects that are derived from the id.
#pragma once

#include "uuid.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace tenancy {

inline constexpr std::size_t max_slug_bytes = 39;
inline constexpr std::size_t max_alias_kind_bytes = 31;
inline constexpr std::size_t max_alias_value_bytes = 255; // of external ids, too

// Whether `text` is a slug: [a-z0-9][a-z0-9-]{0,38} and nothing PostgreSQL would read as a uuid.
[[nodiscard]] bool is_slug(std::string_view text);

// Whether `text` is the kind of an alias: [a-z][a-z0-9_]{0,30}. Reserved kinds are well formed.
[[nodiscard]] bool is_alias_kind(std::string_view text);

// Whether `kind` has a meaning of its own and cannot be given to an alias: slug, id, external,
// token.
[[nodiscard]] bool is_reserved_alias_kind(std::string_view kind);

// Whether `text` may be the value of an alias or an external id: 1 to 255 bytes without control
// characters and without a blank at either end. The caller has made sure of the encoding.
[[nodiscard]] bool is_alias_value(std::string_view text);

// A text that names a tenant, taken apart. It owns nothing: `value` and `alias_kind` borrow from
// the text that was classified.
struct Designator {
    enum class Kind : std::uint8_t {
        slug,        // value is the slug
        id,          // id is the tenant's id
        external_id, // 'external:42': value is the external id
        alias,       // 'host:chat.example.com': alias_kind and value
        token,       // value is a compact JWS that nobody has looked at yet
    };

    Kind kind = Kind::slug;
    std::string_view value;
    std::string_view alias_kind;
    Uuid id;
};

// What `text` names, decided by its form alone and in this order: with a ':' an alias, split at the
// first one; with exactly two dots a token; a hyphenated uuid of any case an id; else a slug.
// Throws Error(name_malformed) when the text is none of these, without quoting it (it may be a
// damaged token).
[[nodiscard]] Designator classify_designator(std::string_view text);

// "t_<32 hex>_", which every notification channel of the tenant starts with.
[[nodiscard]] std::string channel_prefix(const Uuid& tenant_id);

} // namespace tenancy
