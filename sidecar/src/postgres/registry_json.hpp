// JSON as the work functions take and give it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "postgres/registry.hpp"

namespace tenancy::sidecar {

// Valid JSON for PostgreSQL whatever a server wrote into a message: bytes that are not UTF-8 are
// replaced, zero characters, which jsonb refuses, too.
[[nodiscard]] std::string to_jsonb(Json json);

[[nodiscard]] Json reports_to_json(const std::vector<Report>& reports);
[[nodiscard]] Json health_to_json(const StoreHealth& health);
[[nodiscard]] Json unknown_to_json(const std::vector<UnknownObject>& objects);

// The `collections` column of tenancy.daemon_stores(). Throws Json::exception when it is not of the
// form that define_collection() made sure of.
[[nodiscard]] std::shared_ptr<const Templates> read_templates(const Json& collections);

} // namespace tenancy::sidecar
