// Log lines: one JSON object each on standard error, with ts, level, event and fields.
#pragma once

#include <string_view>

#include <nlohmann/json.hpp>

namespace tenancy::sidecar {

enum class Level { debug, info, warning, error };

// To be called once, before any thread is started.
void set_log_level(Level level);

// `event` is a stable snake_case word; what varies is in the fields. Never a secret: whoever logs a
// message of a library strips it of URIs first (redact()).
void log(Level level, std::string_view event,
         const nlohmann::json& fields = nlohmann::json::object());

// The text with passwords in URIs and key=value conninfo replaced by "***".
[[nodiscard]] std::string redact(std::string_view text);

} // namespace tenancy::sidecar
