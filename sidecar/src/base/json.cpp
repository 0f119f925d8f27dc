#include "base/json.hpp"

#include <utility>

#include <nlohmann/json.hpp>

namespace tenancy::sidecar {

JsonValue::JsonValue() : JsonValue(Json::object()) {}

JsonValue::JsonValue(Json value) : value_(std::make_shared<const Json>(std::move(value))) {}

void JsonValue::set(const std::string& key, const Json& member) {
    Json changed = *value_;
    changed[key] = member;
    value_ = std::make_shared<const Json>(std::move(changed));
}

bool operator==(const JsonValue& one, const JsonValue& other) {
    return one.value_ == other.value_ || *one == *other;
}

} // namespace tenancy::sidecar
