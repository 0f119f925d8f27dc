// What store_driver reads and prints: the words of the Store interface as JSON.
#pragma once

#include "config/config.hpp"
#include "store/store.hpp"

namespace tenancy::sidecar {

// Throw std::runtime_error, or what nlohmann-json throws, for what cannot be read.
[[nodiscard]] StoreConfig config_of(const Json& json);
[[nodiscard]] StoreDefinition definition_of(const Json& json);
[[nodiscard]] Desired desired_of(const Json& json, std::shared_ptr<const Templates> templates);
[[nodiscard]] std::vector<Action> actions_of(const Json& json);
[[nodiscard]] std::optional<Stamp> stamp_of(const Json& json); // null: none
[[nodiscard]] FoundObject object_of(const Json& json);
[[nodiscard]] Uuid uuid_of(const Json& json);

[[nodiscard]] Json json_of(const Capabilities& capabilities);
[[nodiscard]] Json json_of(const std::optional<Stamp>& stamp);
[[nodiscard]] Json json_of(const Failure& failure);
[[nodiscard]] Json json_of(const std::optional<Failure>& failure);
[[nodiscard]] Json json_of(const Result<Observed>& observed);
[[nodiscard]] Json json_of(const Outcome& outcome);
[[nodiscard]] Json json_of(const FoundObject& object);

} // namespace tenancy::sidecar
