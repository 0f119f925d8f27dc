// tenancy.status_report() as tables.
#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

namespace tenancy::sidecar {

// What the report lacks is shown as "-": the database may be of another version.
[[nodiscard]] std::string status_text(const nlohmann::json& report);

} // namespace tenancy::sidecar
