#include "base/log.hpp"

#include <array>
#include <map>

#include <nlohmann/json.hpp>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace tenancy::sidecar {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr std::size_t longest_text = 2000;
constexpr std::size_t longest_line = 16000;

spdlog::logger& logger() {
    static const std::shared_ptr<spdlog::logger> made = [] {
        auto sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
        auto logger = std::make_shared<spdlog::logger>("tenancyd", std::move(sink));
        // The message is an object without its opening brace.
        logger->set_pattern(R"({"ts":"%Y-%m-%dT%H:%M:%S.%eZ",%v)", spdlog::pattern_time_type::utc);
        return logger;
    }();
    return *made;
}

spdlog::level::level_enum level_of(Level level) {
    switch (level) {
    case Level::debug:
        return spdlog::level::debug;
    case Level::info:
        return spdlog::level::info;
    case Level::warning:
        return spdlog::level::warn;
    case Level::error:
        return spdlog::level::err;
    }
    return spdlog::level::err;
}

const char* name_of(Level level) {
    constexpr std::array<const char*, 4> names{"debug", "info", "warning", "error"};
    return names.at(static_cast<std::size_t>(level));
}

// What a library wrote may quote what it was given, so every text is redacted once more.
struct Presentable {
    json operator()(const std::string& value) const {
        std::string text = redact(value);
        if (text.size() > longest_text) {
            text.resize(longest_text);
            text += "...";
        }
        return text;
    }
    template <typename T>
    json operator()(T value) const {
        return value;
    }
};

std::string line_of(Level level, std::string_view event, std::initializer_list<LogField> fields) {
    ordered_json line{{"level", name_of(level)}, {"event", event}};
    const ordered_json head = line;
    std::map<std::string_view, json> sorted;
    for (const auto& [name, value] : fields) {
        sorted.emplace(name, std::visit(Presentable(), value.get()));
    }
    for (auto& [name, value] : sorted) { // none of the head's is replaced
        line.emplace(name, std::move(value));
    }
    std::string text = line.dump(-1, ' ', false, json::error_handler_t::replace);
    if (text.size() > longest_line) {
        line = head;
        line["dropped_bytes"] = text.size();
        text = line.dump();
    }
    return text;
}

} // namespace

void set_log_level(Level level) {
    logger().set_level(level_of(level));
}

void log(Level level, std::string_view event, std::initializer_list<LogField> fields) {
    if (logger().should_log(level_of(level))) {
        logger().log(level_of(level), "{}", line_of(level, event, fields).substr(1));
    }
}

} // namespace tenancy::sidecar
