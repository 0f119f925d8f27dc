// BSON documents: built key by key, and turned into JSON and back without loss of integers.
#pragma once

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <bson/bson.h>
#include <nlohmann/json_fwd.hpp>

#include "store/model.hpp"

namespace tenancy::sidecar::mongodb {

// As Json, with the keys in the order in which the server has them.
using OrderedJson = nlohmann::ordered_json;

// A value that BSON cannot hold as asked: nested too deeply, a malformed {"$date": ...}.
class DocumentError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

// plain: every object is a document, whatever its keys are called. extended: an object that is a
// value of MongoDB's Extended JSON ({"$date": ...}, {"$oid": ...}, {"$numberLong": ...}, ...) is
// that value; query operators ({"$type": "string"}, {"$regex": "^a"}) stay documents.
enum class Reading : std::uint8_t { plain, extended };

// A document under construction. Keys are appended in order; nothing is checked for duplicates.
class Document {
public:
    Document();

    Document& text(const std::string& key, const std::string& value);
    Document& integer(const std::string& key, std::int64_t value); // always int64
    Document& flag(const std::string& key, bool value);
    Document& document(const std::string& key, const Document& value);
    Document& documents(const std::string& key, const std::vector<Document>& values);
    Document& texts(const std::string& key, const std::vector<std::string>& values);
    // Integers become int32 where they fit, else int64, else double. Throws DocumentError.
    Document& json(const std::string& key, const Json& value, Reading reading);

    [[nodiscard]] const bson_t* get() const { return bson_.get(); }
    [[nodiscard]] bool has(const char* key) const { return bson_has_field(get(), key); }
    [[nodiscard]] std::uint32_t size() const { return bson_->len; } // bytes

private:
    struct Destroy {
        void operator()(bson_t* bson) const { bson_destroy(bson); }
    };
    // As the library declares it: bson_t has attributes of its own, which the tag below has not.
    bson_t* target() { return bson_.get(); }

    std::unique_ptr<struct _bson_t, Destroy> bson_;
};

// The document as JSON: numbers as numbers (int64 exactly), what JSON has no type for as canonical
// Extended JSON. Throws Unavailable (ProtocolError) when it is nested more deeply than a server's
// documents can be.
[[nodiscard]] OrderedJson to_json(const bson_t& document);

// The integer at `key` of an object, from any of the server's number types; `otherwise` where there
// is none or it is no integer.
[[nodiscard]] std::int64_t integer_at(const OrderedJson& object, std::string_view key,
                                      std::int64_t otherwise);
// The text at `key` of an object; empty where there is none.
[[nodiscard]] std::string text_at(const OrderedJson& object, std::string_view key);

} // namespace tenancy::sidecar::mongodb
