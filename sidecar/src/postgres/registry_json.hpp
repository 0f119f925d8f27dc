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

// The SHA-256 of a text, in hexadecimal digits.
[[nodiscard]] std::string sha256_hex(const std::string& text);

// The name of an object in a store as tenancy.bounded_name() makes it: of one beyond 1000 bytes its
// beginning and the SHA-256 of all of it, as text.
[[nodiscard]] std::string bounded_name(const std::string& name);

[[nodiscard]] Json reports_to_json(const std::vector<Report>& reports);
[[nodiscard]] Json health_to_json(const StoreHealth& health);
// With bounded names.
[[nodiscard]] Json unknown_to_json(const std::vector<UnknownObject>& objects);

// The `collections` column of tenancy.daemon_stores(). Throws Json::exception when it is not of the
// form that define_collection() made sure of.
[[nodiscard]] std::shared_ptr<const Templates> read_templates(const Json& collections);

} // namespace tenancy::sidecar
