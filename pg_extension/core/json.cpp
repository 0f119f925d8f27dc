// Builds a JsonValue from the events of nlohmann-json's parser and closes what that parser leaves
// open: an embedded NUL ends its input, a byte order mark is skipped, a member may come twice, and
// nesting has no limit.
#include "json.hpp"

#include "error.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

namespace tenancy {

namespace {

using Json = nlohmann::json;

class Builder final : public Json::json_sax_t {
public:
    Builder(const char* sqlstate, std::string_view subject)
        : sqlstate_(sqlstate), subject_(subject) {}

    JsonValue take() { return std::move(root_); }

    [[noreturn]] void refuse(const char* reason) const {
        throw Error(sqlstate_, std::string(subject_) + " " + reason);
    }

    bool null() override { return place(JsonValue{}); }
    bool boolean(bool value) override;
    bool number_integer(number_integer_t value) override;
    bool number_unsigned(number_unsigned_t value) override;
    bool number_float(number_float_t value, const string_t& text) override;
    bool string(string_t& value) override;
    bool binary(binary_t& value) override;
    bool start_object(std::size_t size) override;
    bool key(string_t& name) override;
    bool end_object() override { return close(); }
    bool start_array(std::size_t size) override;
    bool end_array() override { return close(); }
    bool parse_error(std::size_t position, const std::string& token,
                     const Json::exception& error) override;

private:
    bool place(JsonValue value);
    bool place_integer(std::int64_t value);
    bool place_number();
    bool open(JsonValue::Kind kind);
    bool close();
    JsonValue& slot();

    const char* sqlstate_;
    std::string_view subject_;
    JsonValue root_;
    // Containers that are not closed yet, outermost first. Each is the last child of the one
    // before, which does not grow until it is closed, so the pointers hold.
    std::vector<JsonValue*> open_;
};

JsonValue& Builder::slot() {
    if (open_.empty())
        return root_;
    JsonValue& parent = *open_.back();
    if (parent.kind == JsonValue::Kind::object)
        return parent.members.back().value;
    return parent.elements.emplace_back();
}

bool Builder::place(JsonValue value) {
    slot() = std::move(value);
    return true;
}

bool Builder::place_integer(std::int64_t value) {
    JsonValue placed;
    placed.kind = JsonValue::Kind::integer;
    placed.integer = value;
    return place(std::move(placed));
}

bool Builder::place_number() {
    JsonValue placed;
    placed.kind = JsonValue::Kind::number;
    return place(std::move(placed));
}

bool Builder::open(JsonValue::Kind kind) {
    if (open_.size() == json_max_depth)
        refuse("is nested too deeply");
    JsonValue& container = slot();
    container.kind = kind;
    open_.push_back(&container);
    return true;
}

bool Builder::close() {
    open_.pop_back();
    return true;
}

bool Builder::boolean(bool value) {
    JsonValue placed;
    placed.kind = JsonValue::Kind::boolean;
    placed.boolean = value;
    return place(std::move(placed));
}

bool Builder::number_integer(number_integer_t value) {
    // The parser calls this for texts with a minus sign only, so a zero was written "-0".
    return value == 0 ? place_number() : place_integer(value);
}

bool Builder::number_unsigned(number_unsigned_t value) {
    return std::in_range<std::int64_t>(value) ? place_integer(static_cast<std::int64_t>(value))
                                              : place_number();
}

bool Builder::number_float(number_float_t /*value*/, const string_t& /*text*/) {
    return place_number();
}

bool Builder::string(string_t& value) {
    if (value.find('\0') != std::string::npos)
        refuse("contains a NUL character");
    JsonValue placed;
    placed.kind = JsonValue::Kind::string;
    placed.string = std::move(value);
    return place(std::move(placed));
}

bool Builder::binary(binary_t& /*value*/) {
    refuse("is not valid JSON"); // JSON text has no binary values; only other formats do
}

bool Builder::start_object(std::size_t /*size*/) {
    return open(JsonValue::Kind::object);
}

bool Builder::start_array(std::size_t /*size*/) {
    return open(JsonValue::Kind::array);
}

bool Builder::key(string_t& name) {
    if (name.find('\0') != std::string::npos)
        refuse("contains a NUL character");
    JsonValue& object = *open_.back();
    if (object.find(name) != nullptr)
        refuse("has a duplicate member");
    object.members.push_back({std::move(name), JsonValue{}});
    return true;
}

bool Builder::parse_error(std::size_t /*position*/, const std::string& /*token*/,
                          const Json::exception& /*error*/) {
    refuse("is not valid JSON"); // the parser's own message quotes the text
}

} // namespace

const JsonValue* JsonValue::find(std::string_view name) const {
    const auto member = std::find_if(members.begin(), members.end(),
                                     [name](const JsonMember& m) { return m.name == name; });
    return member == members.end() ? nullptr : &member->value;
}

JsonValue read_json(std::string_view text, const char* sqlstate, std::string_view subject) {
    Builder builder(sqlstate, subject);
    if (text.size() > json_max_bytes)
        builder.refuse("is too long");
    if (text.find('\0') != std::string_view::npos)
        builder.refuse("contains a NUL character");
    if (text.starts_with("\xEF\xBB\xBF"))
        builder.refuse("starts with a byte order mark");
    if (!Json::sax_parse(text, &builder))
        builder.refuse("is not valid JSON");
    return builder.take();
}

JsonValue read_json_object(std::string_view text, const char* sqlstate, std::string_view subject) {
    JsonValue value = read_json(text, sqlstate, subject);
    if (value.kind != JsonValue::Kind::object)
        throw Error(sqlstate, std::string(subject) + " is not a JSON object");
    return value;
}

} // namespace tenancy
