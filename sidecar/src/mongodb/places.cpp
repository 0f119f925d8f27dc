#include "mongodb/places.hpp"

#include <cstddef>

namespace tenancy::sidecar::mongodb {

std::string database_of(const Uuid& tenant) {
    return "t_" + print_uuid_hex(tenant);
}

std::optional<Uuid> tenant_of(std::string_view database) {
    constexpr std::size_t digits = 32;
    if (!database.starts_with("t_") || database.size() != 2 + digits) {
        return std::nullopt;
    }
    std::string text(database.substr(2));
    for (const std::size_t hyphen : {8, 13, 18, 23}) {
        text.insert(hyphen, 1, '-');
    }
    return parse_uuid(text);
}

bool is_tenants_collection(std::string_view name) {
    return name != marker_collection && !name.starts_with("system.");
}

} // namespace tenancy::sidecar::mongodb
