#include "config/duration.hpp"

#include <array>
#include <charconv>
#include <cstdint>

namespace tenancy::sidecar {
namespace {

struct Unit {
    std::string_view name;
    std::int64_t milliseconds;
};

constexpr std::array<Unit, 4> units{{{"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}}};
constexpr std::int64_t year = 365LL * 24 * 3600000;

const Unit* find_unit(std::string_view name) {
    for (const Unit& unit : units) {
        if (unit.name == name) {
            return &unit;
        }
    }
    return nullptr;
}

} // namespace

std::optional<Milliseconds> parse_duration(std::string_view text) {
    std::int64_t count = 0;
    const auto* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(end - text.size(), end, count);
    const Unit* unit = find_unit({rest, static_cast<std::size_t>(end - rest)});
    if (error != std::errc{} || unit == nullptr || count < 0 || count > year / unit->milliseconds) {
        return std::nullopt;
    }
    return Milliseconds(count * unit->milliseconds);
}

std::string duration_text(Milliseconds duration) {
    for (const Unit& unit : units) {
        if (duration.count() != 0 && duration.count() % unit.milliseconds == 0) {
            return std::to_string(duration.count() / unit.milliseconds) + std::string(unit.name);
        }
    }
    return "0s";
}

} // namespace tenancy::sidecar
