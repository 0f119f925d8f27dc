// Where things are in a MongoDB store. A tenant's database also holds what the application keeps
// there; tenancyd's own is one document in the collection `tenancy`:
//   {_id: "tenant", instance: "<uuid>", generation: <int64>, state: "active", settings: {...}}
// Settings are stored under their keys as they are, dots and dollar signs included.
// The stamp is the document {_id: "instance", instance, store, epoch, tick} in tenancy.instance.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "uuid.hpp"

namespace tenancy::sidecar::mongodb {

inline constexpr const char* admin_database = "admin";
inline constexpr const char* stamp_database = "tenancy";
inline constexpr const char* stamp_collection = "instance";
inline constexpr const char* stamp_id = "instance";
inline constexpr const char* marker_collection = "tenancy";
inline constexpr const char* marker_id = "tenant";

// "t_" and the 32 hexadecimal digits.
[[nodiscard]] std::string database_of(const Uuid& tenant);
// The tenant whose database has this name; nothing for every other name.
[[nodiscard]] std::optional<Uuid> tenant_of(std::string_view database);

// Whether a collection of a tenant's database is neither the marker's nor the server's own.
[[nodiscard]] bool is_tenants_collection(std::string_view name);

} // namespace tenancy::sidecar::mongodb
