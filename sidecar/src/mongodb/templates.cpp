#include "mongodb/templates.hpp"

#include <array>
#include <cmath>

#include <nlohmann/json.hpp>

namespace tenancy::sidecar::mongodb {
namespace {

// Above this, doubles are not exact.
constexpr double exact = 9007199254740992.0;

Json canonical_number(const Json& number) {
    if (!number.is_number_float()) {
        return number.get<std::int64_t>();
    }
    const auto value = number.get<double>();
    if (std::abs(value) <= exact && std::trunc(value) == value) {
        return static_cast<std::int64_t>(value);
    }
    return value;
}

Json with_canonical_numbers(const Json& value) {
    if (value.is_number()) {
        return canonical_number(value);
    }
    Json result = value;
    if (value.is_structured()) {
        for (auto& each : result) {
            each = with_canonical_numbers(each);
        }
    }
    return result;
}

// Sorted keys, plain numbers, each extended value in one way of writing.
Json through_bson(const Json& value) {
    try {
        Document document;
        document.json("v", value, Reading::extended);
        return Json(to_json(*document.get())).at("v");
    } catch (const DocumentError&) {
        return value; // the server will say so, too
    }
}

std::optional<JsonValue> canonical_or_none(const std::optional<JsonValue>& document) {
    if (!document || (*document)->is_null() || (*document)->empty()) {
        return std::nullopt;
    }
    return canonical(*document);
}

// What the server fills in when a collation does not say otherwise.
const Json& collation_defaults() {
    static const Json defaults{{"strength", 3},
                               {"caseLevel", false},
                               {"caseFirst", "off"},
                               {"numericOrdering", false},
                               {"alternate", "non-ignorable"},
                               {"maxVariable", "punct"},
                               {"normalization", false},
                               {"backwards", false}};
    return defaults;
}

// The fields whose default depends on the locale.
constexpr std::array of_locale{"caseFirst", "alternate", "normalization", "backwards"};

std::optional<JsonValue> canonical_collation(const std::optional<JsonValue>& collation) {
    const auto read = canonical_or_none(collation);
    if (!read || !(*read)->is_object() || (*read)->value("locale", Json()) == "simple") {
        return std::nullopt;
    }
    Json result = **read;
    result.erase("version");
    for (const auto& [field, usual] : collation_defaults().items()) {
        if (const auto found = result.find(field); found != result.end() && *found == usual) {
            result.erase(found);
        }
    }
    return result;
}

Json canonical_direction(const Json& direction) {
    if (!direction.is_number()) {
        return direction;
    }
    return direction.get<double>() < 0 ? -1 : 1;
}

std::optional<JsonValue> json_at(const OrderedJson& object, const char* key) {
    const auto found = object.find(key);
    return found == object.end() ? std::nullopt : std::optional<JsonValue>(Json(*found));
}

// Servers list flags as true, 1 or 1.0.
bool flag_at(const OrderedJson& object, const char* key) {
    const auto found = object.find(key);
    if (found == object.end()) {
        return false;
    }
    return found->is_boolean() ? found->get<bool>() : integer_at(object, key, 0) != 0;
}

std::vector<std::pair<std::string, JsonValue>> read_keys(const OrderedJson& listed) {
    std::vector<std::pair<std::string, JsonValue>> keys;
    const auto found = listed.find("key");
    if (found == listed.end() || !found->is_object()) {
        return keys;
    }
    for (const auto& [field, direction] : found->items()) {
        if (field == "_fts") {
            const OrderedJson weights = listed.value("weights", OrderedJson::object());
            for (const auto& [weighted, weight] : weights.items()) {
                keys.emplace_back(weighted, Json("text"));
            }
        } else if (field != "_ftsx") {
            keys.emplace_back(field, canonical_direction(Json(direction)));
        }
    }
    return keys;
}

// A number of seconds that no template has stands for one that is no whole number.
std::optional<std::int64_t> read_ttl(const OrderedJson& listed) {
    if (!listed.contains("expireAfterSeconds")) {
        return std::nullopt;
    }
    return integer_at(listed, "expireAfterSeconds", -1);
}

bool is_enforced(const OrderedJson& options) {
    const std::string level = text_at(options, "validationLevel");
    const std::string action = text_at(options, "validationAction");
    return (level.empty() || level == "strict") && (action.empty() || action == "error");
}

// The server shows a collation with the defaults of its locale, which the template left to it.
void forget_defaults_of_locale(const std::optional<JsonValue>& wanted,
                               std::optional<JsonValue>& found) {
    if (!wanted || !found) {
        return;
    }
    Json without = **found;
    for (const char* field : of_locale) {
        if (!(*wanted)->contains(field)) {
            without.erase(field);
        }
    }
    found = std::move(without);
}

bool means_same(const IndexTemplate& wanted, IndexTemplate found) {
    forget_defaults_of_locale(wanted.collation, found.collation);
    return canonical(wanted) == found;
}

} // namespace

Json canonical(const Json& document) {
    return with_canonical_numbers(through_bson(document));
}

IndexTemplate canonical(const IndexTemplate& index) {
    IndexTemplate result = index;
    for (auto& [field, direction] : result.keys) {
        direction = canonical_direction(direction);
    }
    result.partial = canonical_or_none(index.partial);
    result.collation = canonical_collation(index.collation);
    return result;
}

CollectionTemplate canonical(const CollectionTemplate& collection) {
    CollectionTemplate result{collection.name, canonical_or_none(collection.validator), {}};
    for (const auto& [name, index] : collection.indexes) {
        result.indexes.emplace(name, canonical(index));
    }
    return result;
}

Templates canonical(const Templates& templates) {
    Templates result;
    for (const auto& [name, collection] : templates) {
        result.emplace(name, canonical(collection));
    }
    return result;
}

IndexTemplate read_index(const OrderedJson& listed) {
    IndexTemplate index;
    index.name = text_at(listed, "name");
    index.keys = read_keys(listed);
    index.unique = flag_at(listed, "unique");
    index.sparse = flag_at(listed, "sparse");
    index.ttl_seconds = read_ttl(listed);
    index.partial = json_at(listed, "partialFilterExpression");
    index.collation = json_at(listed, "collation");
    return canonical(index);
}

CollectionTemplate read_collection(const OrderedJson& listed) {
    CollectionTemplate collection;
    collection.name = text_at(listed, "name");
    const OrderedJson options = listed.value("options", OrderedJson::object());
    collection.validator = canonical_or_none(json_at(options, "validator"));
    if (collection.validator && !is_enforced(options)) {
        collection.validator = Json{{"notEnforced", **collection.validator}};
    }
    return collection;
}

CollectionTemplate in_words_of(const CollectionTemplate& wanted, CollectionTemplate found) {
    if (canonical_or_none(wanted.validator) == found.validator) {
        found.validator = wanted.validator;
    }
    for (auto& [name, index] : found.indexes) {
        const auto same = wanted.indexes.find(name);
        if (same == wanted.indexes.end()) {
            continue;
        }
        if (means_same(same->second, index)) {
            index = same->second;
        } else {
            // So that a difference in the TTL alone is seen as that.
            IndexTemplate other = same->second;
            other.ttl_seconds = index.ttl_seconds;
            index = means_same(other, index) ? other : index;
        }
    }
    return found;
}

Document index_document(const IndexTemplate& index) {
    Document keys;
    for (const auto& [field, direction] : index.keys) {
        keys.json(field, direction, Reading::plain);
    }
    Document result;
    result.document("key", keys).text("name", index.name);
    if (index.unique) {
        result.flag("unique", true);
    }
    if (index.sparse) {
        result.flag("sparse", true);
    }
    if (index.ttl_seconds) {
        result.integer("expireAfterSeconds", *index.ttl_seconds);
    }
    if (index.partial) {
        result.json("partialFilterExpression", *index.partial, Reading::extended);
    }
    if (index.collation) {
        result.json("collation", *index.collation, Reading::plain);
    }
    return result;
}

} // namespace tenancy::sidecar::mongodb
