#include "mongodb/document.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include <nlohmann/json.hpp>

#include "base/failure.hpp"

namespace tenancy::sidecar::mongodb {
namespace {

// The server takes 180 levels, its shell and tools less.
constexpr int deepest = 100;
// What it sends may be a little deeper, for a reply is wrapped around it.
constexpr int deepest_read = 250;

int length(const std::string& text) {
    return static_cast<int>(text.size());
}

void append_value(bson_t* to, const std::string& key, const Json& value, Reading reading,
                  int depth);

// Whether the object is a value in Extended JSON, and not a document with operators.
bool is_wrapper(const Json& object) {
    static constexpr std::array names{"$oid",        "$date",         "$numberInt",
                                      "$numberLong", "$numberDouble", "$numberDecimal",
                                      "$binary",     "$uuid",         "$regularExpression",
                                      "$timestamp",  "$minKey",       "$maxKey",
                                      "$undefined",  "$symbol",       "$code"};
    return object.size() == 1 && std::ranges::any_of(names, [&object](const char* name) {
               return object.begin().key() == name;
           });
}

void append_wrapper(bson_t* to, const std::string& key, const Json& value) {
    const std::string text = Json{{"v", value}}.dump();
    bson_error_t error{};
    bson_t* parsed = bson_new_from_json(reinterpret_cast<const std::uint8_t*>(text.data()),
                                        static_cast<ssize_t>(text.size()), &error);
    if (parsed == nullptr) {
        throw DocumentError("malformed " + value.begin().key() + " in extended JSON");
    }
    bson_iter_t found;
    if (bson_iter_init_find(&found, parsed, "v")) {
        bson_append_iter(to, key.c_str(), length(key), &found);
    }
    bson_destroy(parsed);
}

void append_integer(bson_t* to, const std::string& key, std::int64_t value) {
    using Small = std::numeric_limits<std::int32_t>;
    if (value >= Small::min() && value <= Small::max()) {
        bson_append_int32(to, key.c_str(), length(key), static_cast<std::int32_t>(value));
    } else {
        bson_append_int64(to, key.c_str(), length(key), value);
    }
}

void append_number(bson_t* to, const std::string& key, const Json& value) {
    const bool too_large =
        value.is_number_unsigned() && value.get<std::uint64_t>() > std::uint64_t{INT64_MAX};
    if (value.is_number_float() || too_large) {
        bson_append_double(to, key.c_str(), length(key), value.get<double>());
    } else {
        append_integer(to, key, value.get<std::int64_t>());
    }
}

void append_object(bson_t* to, const std::string& key, const Json& object, Reading reading,
                   int depth) {
    bson_t child;
    bson_append_document_begin(to, key.c_str(), length(key), &child);
    for (const auto& [name, value] : object.items()) {
        append_value(&child, name, value, reading, depth);
    }
    bson_append_document_end(to, &child);
}

void append_array(bson_t* to, const std::string& key, const Json& array, Reading reading,
                  int depth) {
    bson_t child;
    bson_append_array_begin(to, key.c_str(), length(key), &child);
    std::size_t index = 0;
    for (const auto& value : array) {
        append_value(&child, std::to_string(index++), value, reading, depth);
    }
    bson_append_array_end(to, &child);
}

void append_structure(bson_t* to, const std::string& key, const Json& value, Reading reading,
                      int depth) {
    if (depth > deepest) {
        throw DocumentError("nested more than " + std::to_string(deepest) + " levels deep");
    }
    if (value.is_array()) {
        append_array(to, key, value, reading, depth);
    } else if (reading == Reading::extended && is_wrapper(value)) {
        append_wrapper(to, key, value);
    } else {
        append_object(to, key, value, reading, depth);
    }
}

void append_value(bson_t* to, const std::string& key, const Json& value, Reading reading,
                  int depth) {
    if (value.is_structured()) {
        append_structure(to, key, value, reading, depth + 1);
    } else if (value.is_string()) {
        const auto& text = value.get_ref<const std::string&>();
        bson_append_utf8(to, key.c_str(), length(key), text.c_str(), length(text));
    } else if (value.is_boolean()) {
        bson_append_bool(to, key.c_str(), length(key), value.get<bool>());
    } else if (value.is_number()) {
        append_number(to, key, value);
    } else {
        bson_append_null(to, key.c_str(), length(key));
    }
}

// A value that JSON has no type for.
OrderedJson wrapped(const bson_iter_t& iter) {
    bson_t alone = BSON_INITIALIZER;
    bson_append_iter(&alone, "v", 1, &iter);
    char* text = bson_as_canonical_extended_json(&alone, nullptr);
    OrderedJson parsed = OrderedJson::parse(text != nullptr ? text : "{}", nullptr, false);
    bson_free(text);
    bson_destroy(&alone);
    return parsed.is_object() && parsed.contains("v") ? parsed["v"] : OrderedJson();
}

OrderedJson read_children(bson_iter_t* children, bool array, int depth);

OrderedJson read_structure(const bson_iter_t& iter, int depth) {
    if (depth > deepest_read) {
        throw Unavailable("ProtocolError", "MongoDB: the server's reply is nested too deeply");
    }
    bson_iter_t children;
    const bool array = BSON_ITER_HOLDS_ARRAY(&iter);
    if (!bson_iter_recurse(&iter, &children)) {
        return nullptr;
    }
    return read_children(&children, array, depth);
}

OrderedJson read_double(const bson_iter_t& iter) {
    const double value = bson_iter_double(&iter);
    return std::isfinite(value) ? OrderedJson(value) : wrapped(iter);
}

OrderedJson read_value(const bson_iter_t& iter, int depth) {
    switch (bson_iter_type(&iter)) {
    case BSON_TYPE_DOCUMENT:
    case BSON_TYPE_ARRAY:
        return read_structure(iter, depth + 1);
    case BSON_TYPE_UTF8: {
        std::uint32_t size = 0;
        const char* text = bson_iter_utf8(&iter, &size);
        return std::string(text, size);
    }
    case BSON_TYPE_BOOL:
        return bson_iter_bool(&iter);
    case BSON_TYPE_INT32:
    case BSON_TYPE_INT64:
        return std::int64_t{bson_iter_as_int64(&iter)};
    case BSON_TYPE_DOUBLE:
        return read_double(iter);
    case BSON_TYPE_NULL:
        return nullptr;
    default:
        return wrapped(iter);
    }
}

OrderedJson read_children(bson_iter_t* children, bool array, int depth) {
    OrderedJson read = array ? OrderedJson::array() : OrderedJson::object();
    while (bson_iter_next(children)) {
        if (array) {
            read.push_back(read_value(*children, depth));
        } else {
            read[bson_iter_key(children)] = read_value(*children, depth);
        }
    }
    return read;
}

} // namespace

Document::Document() : bson_(bson_new()) {}

Document& Document::text(const std::string& key, const std::string& value) {
    bson_append_utf8(target(), key.c_str(), length(key), value.c_str(), length(value));
    return *this;
}

Document& Document::integer(const std::string& key, std::int64_t value) {
    bson_append_int64(target(), key.c_str(), length(key), value);
    return *this;
}

Document& Document::flag(const std::string& key, bool value) {
    bson_append_bool(target(), key.c_str(), length(key), value);
    return *this;
}

Document& Document::document(const std::string& key, const Document& value) {
    bson_append_document(target(), key.c_str(), length(key), value.get());
    return *this;
}

Document& Document::documents(const std::string& key, const std::vector<Document>& values) {
    bson_t array;
    bson_append_array_begin(target(), key.c_str(), length(key), &array);
    std::size_t index = 0;
    for (const auto& value : values) {
        const std::string name = std::to_string(index++);
        bson_append_document(&array, name.c_str(), length(name), value.get());
    }
    bson_append_array_end(target(), &array);
    return *this;
}

Document& Document::texts(const std::string& key, const std::vector<std::string>& values) {
    return json(key, Json(values), Reading::plain);
}

Document& Document::json(const std::string& key, const Json& value, Reading reading) {
    append_value(target(), key, value, reading, 0);
    return *this;
}

OrderedJson to_json(const bson_t& document) {
    bson_iter_t iter;
    if (!bson_iter_init(&iter, &document)) {
        return OrderedJson::object();
    }
    return read_children(&iter, false, 0);
}

std::int64_t integer_at(const OrderedJson& object, std::string_view key, std::int64_t otherwise) {
    const auto found = object.find(key);
    if (found == object.end() || !found->is_number()) {
        return otherwise;
    }
    if (found->is_number_integer()) {
        return found->get<std::int64_t>();
    }
    const auto value = found->get<double>();
    const bool whole = std::abs(value) < 9e15 && std::trunc(value) == value;
    return whole ? static_cast<std::int64_t>(value) : otherwise;
}

std::string text_at(const OrderedJson& object, std::string_view key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

} // namespace tenancy::sidecar::mongodb
