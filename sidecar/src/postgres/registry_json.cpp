#include "postgres/registry_json.hpp"

#include <algorithm>
#include <array>

#include <sodium.h>

#include <nlohmann/json.hpp>

#include "reconcile/work_item.hpp"

namespace tenancy::sidecar {
namespace {

Json uuid_or_null(const std::optional<Uuid>& uuid) {
    return uuid ? Json(print_uuid(*uuid)) : Json();
}

std::optional<Json> member(const Json& object, const char* name) {
    const auto found = object.find(name);
    return found == object.end() || found->is_null() ? std::nullopt : std::optional(*found);
}

// In a text a server's own words may stand; keys are tenancyd's.
void replace_zeros(Json& json) {
    if (json.is_string()) {
        auto& text = json.get_ref<std::string&>();
        std::replace(text.begin(), text.end(), '\0', ' ');
    } else if (json.is_structured()) {
        for (auto& member : json) {
            replace_zeros(member);
        }
    }
}

// The first `count` characters of a text in UTF-8.
std::string left(const std::string& text, std::size_t count) {
    std::size_t end = 0;
    const auto continues = [](char byte) { return (static_cast<unsigned char>(byte) >> 6) == 2; };
    while (end < text.size() && (continues(text[end]) || count-- > 0)) {
        ++end;
    }
    return text.substr(0, end);
}

IndexTemplate read_index(const Json& json) {
    IndexTemplate index;
    index.name = json.at("name").get<std::string>();
    for (const auto& key : json.at("keys")) {
        index.keys.emplace_back(key.at(0).get<std::string>(), key.at(1));
    }
    index.unique = json.value("unique", false);
    index.sparse = json.value("sparse", false);
    if (const auto ttl = member(json, "ttl_seconds")) {
        index.ttl_seconds = ttl->get<std::int64_t>();
    }
    index.partial = member(json, "partial");
    index.collation = member(json, "collation");
    return index;
}

Json report_to_json(const Report& report) {
    return {{"tenant", print_uuid(report.tenant)},
            {"token", report.token},
            {"generation", report.generation},
            {"store_generation", report.store_generation},
            {"outcome", name_of(report.outcome)},
            {"present", report.present},
            {"drifted", report.drifted},
            {"state", report.state},
            {"reason", report.reason},
            {"message", report.message},
            {"retry_after_ms", report.retry_after.count()}};
}

} // namespace

std::string to_jsonb(Json json) {
    replace_zeros(json);
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string sha256_hex(const std::string& text) {
    std::array<unsigned char, crypto_hash_sha256_BYTES> digest{};
    crypto_hash_sha256(digest.data(), reinterpret_cast<const unsigned char*>(text.data()),
                       text.size());
    std::array<char, digest.size() * 2 + 1> hex{};
    sodium_bin2hex(hex.data(), hex.size(), digest.data(), digest.size());
    return hex.data();
}

std::string bounded_name(const std::string& name) {
    constexpr std::size_t longest = 1000;
    constexpr std::size_t kept = 200;
    const auto text = Json::parse(to_jsonb(name)).get<std::string>();
    return text.size() <= longest ? text : left(text, kept) + "...sha256:" + sha256_hex(text);
}

Json reports_to_json(const std::vector<Report>& reports) {
    auto array = Json::array();
    for (const auto& report : reports) {
        array.push_back(report_to_json(report));
    }
    return array;
}

Json health_to_json(const StoreHealth& health) {
    Json json = {{"reachable", health.reachable},
                 {"fenced", health.fenced},
                 {"reason", health.reason},
                 {"message", health.message},
                 {"stamped", health.stamped}};
    if (health.capabilities) {
        json["capabilities"] = {{"product", health.capabilities->product},
                                {"version", health.capabilities->version},
                                {"details", *health.capabilities->details},
                                {"missing", health.capabilities->missing},
                                {"warnings", health.capabilities->warnings}};
    }
    return json;
}

Json unknown_to_json(const std::vector<UnknownObject>& objects) {
    auto array = Json::array();
    for (const auto& unknown : objects) {
        array.push_back({{"name", bounded_name(unknown.object.name)},
                         {"tenant", uuid_or_null(unknown.object.tenant)},
                         {"instance", uuid_or_null(unknown.object.instance)},
                         {"detail", *unknown.object.detail},
                         {"reason", unknown.reason},
                         {"resolution", unknown.resolution}});
    }
    return array;
}

std::shared_ptr<const Templates> read_templates(const Json& collections) {
    auto templates = std::make_shared<Templates>();
    for (const auto& json : collections) {
        CollectionTemplate collection;
        collection.name = json.at("name").get<std::string>();
        collection.validator = member(json, "validator");
        for (const auto& index : json.at("indexes")) {
            auto read = read_index(index);
            collection.indexes.emplace(read.name, std::move(read));
        }
        templates->emplace(collection.name, std::move(collection));
    }
    return templates;
}

} // namespace tenancy::sidecar
