// JSON as headers hold it. The library's own header takes longer to compile than most of what
// includes this one: whoever looks into a value includes <nlohmann/json.hpp>.
#pragma once

#include <memory>
#include <string>

#include <nlohmann/json_fwd.hpp>

namespace tenancy::sidecar {

using Json = nlohmann::json;

// A JSON value that is changed as a whole; an empty object to begin with. Copies share it. Converts
// to the library's type, and from it.
class JsonValue {
public:
    JsonValue();
    JsonValue(Json value);                 // converts: it is one
    JsonValue(const JsonValue&) = default; // and no move, which would leave nothing behind
    JsonValue& operator=(const JsonValue&) = default;
    ~JsonValue() = default;

    operator const Json&() const { return *value_; }
    [[nodiscard]] const Json& operator*() const { return *value_; }
    [[nodiscard]] const Json* operator->() const { return value_.get(); }

    // Of an object: the one member is another, or one more; copies keep what they have.
    void set(const std::string& key, const Json& member);

    friend bool operator==(const JsonValue& one, const JsonValue& other);

private:
    std::shared_ptr<const Json> value_;
};

} // namespace tenancy::sidecar
