// Names of keys: {t:<32 hex>}:... are a tenant's; the part in braces keeps them in one slot.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "uuid.hpp"

namespace tenancy::sidecar::redis {

inline constexpr std::string_view stamp_key = "tenancy:instance";
// Matches every key of the form of a tenant's.
inline constexpr std::string_view any_tenant = "{t:*}:*";

[[nodiscard]] std::string prefix_of(const Uuid& tenant);   // "{t:<hex>}:"
[[nodiscard]] std::string marker_key(const Uuid& tenant);  // "{t:<hex>}:tenancy:tenant"
[[nodiscard]] std::string setting_key(const Uuid& tenant); // "{t:<hex>}:tenancy:settings"
[[nodiscard]] std::string channel_of(const Uuid& tenant);  // "{t:<hex>}:tenancy"

// "{t:...}:", however long the part in braces; empty where the key is not of that form.
[[nodiscard]] std::string_view prefix_in(std::string_view key);
// The tenant that "{t:<32 hex>}:" stands for.
[[nodiscard]] std::optional<Uuid> tenant_of(std::string_view prefix);

// The glob that matches this text alone.
[[nodiscard]] std::string escape_glob(std::string_view text);

// A glob that every key of these tenants matches and few others do: at each place the digits that
// occur there. The more tenants, the more it lets through; the server passes over a key that does
// not match without sending it, at the first digit that differs.
[[nodiscard]] std::string pattern_for(std::span<const Uuid> tenants);

} // namespace tenancy::sidecar::redis
