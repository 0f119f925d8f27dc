// Log lines: one JSON object each on standard error, with ts, level, event and fields.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

namespace tenancy::sidecar {

enum class Level { debug, info, warning, error };

// To be called once, before any thread is started.
void set_log_level(Level level);

class LogValue {
public:
    LogValue(std::string_view text) : value_(std::string(text)) {}
    LogValue(const std::string& text) : value_(text) {}
    LogValue(const char* text) : value_(text) {}
    LogValue(std::nullptr_t) = delete;
    template <std::same_as<bool> T>
    LogValue(T flag) : value_(flag) {} // of pointers none
    LogValue(double number) : value_(number) {}
    template <std::signed_integral T>
    LogValue(T number) : value_(std::int64_t{number}) {}
    template <std::unsigned_integral T>
        requires(!std::same_as<T, bool>)
    LogValue(T number) : value_(std::uint64_t{number}) {}

    [[nodiscard]] const auto& get() const { return value_; }

private:
    std::variant<std::string, bool, double, std::int64_t, std::uint64_t> value_;
};

struct LogField {
    std::string_view name;
    LogValue value;
};

// `event` is a stable snake_case word; what varies is in the fields. Never a secret: whoever logs a
// message of a library strips it of URIs first (redact()).
void log(Level level, std::string_view event, std::initializer_list<LogField> fields = {});

// The text with passwords in URIs and key=value conninfo replaced by "***".
[[nodiscard]] std::string redact(std::string_view text);

} // namespace tenancy::sidecar
