#include "redis/keys.hpp"

#include <array>

namespace tenancy::sidecar::redis {
namespace {

constexpr std::string_view digits = "0123456789abcdef";
constexpr std::size_t hex_size = 32;

std::string class_of(const std::array<bool, 16>& occurring) {
    std::string found;
    for (std::size_t i = 0; i < digits.size(); i++) {
        if (occurring.at(i)) {
            found += digits[i];
        }
    }
    if (found.size() == 1) {
        return found;
    }
    return found.size() == digits.size() ? "?" : "[" + found + "]";
}

} // namespace

std::string prefix_of(const Uuid& tenant) {
    return "{t:" + print_uuid_hex(tenant) + "}:";
}

std::string marker_key(const Uuid& tenant) {
    return prefix_of(tenant) + "tenancy:tenant";
}

std::string setting_key(const Uuid& tenant) {
    return prefix_of(tenant) + "tenancy:settings";
}

std::string channel_of(const Uuid& tenant) {
    return prefix_of(tenant) + "tenancy";
}

std::string_view prefix_in(std::string_view key) {
    if (!key.starts_with("{t:")) {
        return {};
    }
    const auto close = key.find('}');
    if (close == std::string_view::npos || key.substr(close, 2) != "}:") {
        return {};
    }
    return key.substr(0, close + 2);
}

std::optional<Uuid> tenant_of(std::string_view prefix) {
    constexpr std::string_view open = "{t:";
    constexpr std::string_view close = "}:";
    if (prefix.size() != open.size() + hex_size + close.size() || !prefix.starts_with(open) ||
        !prefix.ends_with(close)) {
        return std::nullopt;
    }
    std::string text(prefix.substr(open.size(), hex_size));
    for (const std::size_t hyphen : {8, 13, 18, 23}) {
        text.insert(hyphen, 1, '-');
    }
    return parse_uuid(text);
}

std::string escape_glob(std::string_view text) {
    std::string glob;
    for (const char each : text) {
        if (std::string_view("*?[]^-\\").find(each) != std::string_view::npos) {
            glob += '\\';
        }
        glob += each;
    }
    return glob;
}

std::string pattern_for(std::span<const Uuid> tenants) {
    std::array<std::array<bool, 16>, hex_size> occurring{};
    for (const Uuid& tenant : tenants) {
        const std::string hex = print_uuid_hex(tenant);
        for (std::size_t i = 0; i < hex_size; i++) {
            occurring.at(i).at(digits.find(hex[i])) = true;
        }
    }
    std::string pattern = "{t:";
    for (const auto& each : occurring) {
        pattern += class_of(each);
    }
    return pattern + "}:*";
}

} // namespace tenancy::sidecar::redis
