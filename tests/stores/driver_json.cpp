#include <nlohmann/json.hpp>

#include "driver_json.hpp"

#include <stdexcept>

namespace tenancy::sidecar {
namespace {

Milliseconds milliseconds(const Json& json, const char* key, Milliseconds otherwise) {
    return Milliseconds(json.value(key, otherwise.count()));
}

IndexTemplate index_of(const Json& json) {
    IndexTemplate index;
    index.name = json.at("name");
    for (const Json& key : json.at("keys")) {
        index.keys.emplace_back(key.at(0), key.at(1));
    }
    index.unique = json.value("unique", false);
    index.sparse = json.value("sparse", false);
    if (json.contains("ttl_seconds")) {
        index.ttl_seconds = json["ttl_seconds"].get<std::int64_t>();
    }
    if (json.contains("partial")) {
        index.partial = json["partial"];
    }
    if (json.contains("collation")) {
        index.collation = json["collation"];
    }
    return index;
}

Json json_of(const IndexTemplate& index) {
    Json json = {{"name", index.name}, {"unique", index.unique}, {"sparse", index.sparse}};
    json["keys"] = Json::array();
    for (const auto& [field, way] : index.keys) {
        json["keys"].push_back(Json::array({field, way}));
    }
    if (index.ttl_seconds) {
        json["ttl_seconds"] = *index.ttl_seconds;
    }
    if (index.partial) {
        json["partial"] = *index.partial;
    }
    if (index.collation) {
        json["collation"] = *index.collation;
    }
    return json;
}

Templates templates_of(const Json& json) {
    Templates templates;
    for (const Json& each : json) {
        CollectionTemplate collection;
        collection.name = each.at("name");
        if (each.contains("validator") && !each["validator"].is_null()) {
            collection.validator = each["validator"];
        }
        for (const Json& index : each.value("indexes", Json::array())) {
            IndexTemplate made = index_of(index);
            const std::string name = made.name;
            collection.indexes.emplace(name, std::move(made));
        }
        const std::string name = collection.name;
        templates.emplace(name, std::move(collection));
    }
    return templates;
}

Json json_of(const Templates& templates) {
    Json json = Json::object();
    for (const auto& [name, collection] : templates) {
        Json indexes = Json::object();
        for (const auto& [index_name, index] : collection.indexes) {
            indexes[index_name] = json_of(index);
        }
        json[name] = {{"validator", collection.validator.value_or(Json())}, {"indexes", indexes}};
    }
    return json;
}

const char* text_of(FailureKind kind) {
    switch (kind) {
    case FailureKind::transient:
        return "transient";
    case FailureKind::permanent:
        return "permanent";
    case FailureKind::superseded:
        return "superseded";
    case FailureKind::foreign:
        return "foreign";
    }
    return "unknown";
}

Json optional_uuid(const std::optional<Uuid>& uuid) {
    return uuid ? Json(print_uuid(*uuid)) : Json();
}

std::optional<Uuid> optional_uuid_of(const Json& json, const char* key) {
    if (!json.contains(key) || json[key].is_null()) {
        return std::nullopt;
    }
    return uuid_of(json[key]);
}

} // namespace

Uuid uuid_of(const Json& json) {
    const auto uuid = parse_uuid(json.get<std::string>());
    if (!uuid) {
        throw std::runtime_error("not a uuid: " + json.dump());
    }
    return *uuid;
}

StoreConfig config_of(const Json& json) {
    StoreConfig config;
    config.name = json.value("name", "test");
    config.kind = json.at("kind");
    config.addresses = json.value("addresses", config.addresses);
    config.cluster = json.value("cluster", config.cluster);
    config.database = json.value("database", config.database);
    config.username = json.value("username", config.username);
    config.password = json.value("password", config.password);
    config.uri = json.value("uri", config.uri);
    const Json tls = json.value("tls", Json::object());
    config.tls.enabled = tls.value("enabled", false);
    config.tls.ca_file = tls.value("ca_file", "");
    config.tls.cert_file = tls.value("cert_file", "");
    config.tls.key_file = tls.value("key_file", "");
    config.tls.server_name = tls.value("server_name", "");
    config.connect_timeout = milliseconds(json, "connect_timeout_ms", config.connect_timeout);
    config.operation_timeout = milliseconds(json, "operation_timeout_ms", config.operation_timeout);
    config.workers = json.value("workers", config.workers);
    config.batch = json.value("batch", config.batch);
    config.scan_rate = json.value("scan_rate", config.scan_rate);
    return config;
}

StoreDefinition definition_of(const Json& json) {
    StoreDefinition definition;
    definition.name = json.value("name", "test");
    definition.kind = json.value("kind", "");
    definition.required_for = json.value("required_for", definition.required_for);
    definition.unknown_objects = json.value("unknown_objects", definition.unknown_objects);
    definition.on_missing_stamp = json.value("on_missing_stamp", definition.on_missing_stamp);
    definition.options = json.value("options", Json::object());
    definition.generation = json.value("generation", std::int64_t{1});
    definition.templates =
        std::make_shared<const Templates>(templates_of(json.value("collections", Json::array())));
    return definition;
}

Desired desired_of(const Json& json, std::shared_ptr<const Templates> templates) {
    Desired desired;
    desired.tenant = uuid_of(json.at("tenant"));
    desired.state = json.value("state", "active");
    desired.present = json.value("present", true);
    desired.generation = json.value("generation", std::int64_t{1});
    desired.store_generation = json.value("store_generation", std::int64_t{1});
    desired.reached_before = json.value("reached_before", false);
    if (json.contains("disowned")) {
        desired.disowned = json.at("disowned").get<std::int64_t>();
    }
    desired.settings = json.value("settings", Json::object());
    desired.templates = std::move(templates);
    return desired;
}

std::vector<Action> actions_of(const Json& json) {
    std::vector<Action> actions;
    for (const Json& each : json) {
        const std::string name = each.at("kind");
        Action action;
        auto kind = Action::Kind::claim;
        while (name_of(kind) != name) {
            if (kind == Action::Kind::erase) {
                throw std::runtime_error("no such action: " + name);
            }
            kind = static_cast<Action::Kind>(static_cast<int>(kind) + 1);
        }
        action.kind = kind;
        action.collection = each.value("collection", "");
        action.index = each.value("index", "");
        actions.push_back(std::move(action));
    }
    return actions;
}

std::optional<Stamp> stamp_of(const Json& json) {
    if (json.is_null()) {
        return std::nullopt;
    }
    return Stamp{uuid_of(json.at("instance")), json.at("store"), json.at("epoch"), json.at("tick")};
}

FoundObject object_of(const Json& json) {
    FoundObject object;
    object.name = json.at("name");
    object.tenant = optional_uuid_of(json, "tenant");
    object.instance = optional_uuid_of(json, "instance");
    object.detail = json.value("detail", Json::object());
    return object;
}

Json json_of(const Capabilities& capabilities) {
    return {{"product", capabilities.product},
            {"version", capabilities.version},
            {"details", capabilities.details},
            {"missing", capabilities.missing},
            {"warnings", capabilities.warnings}};
}

Json json_of(const std::optional<Stamp>& stamp) {
    if (!stamp) {
        return nullptr;
    }
    return {{"instance", print_uuid(stamp->instance)},
            {"store", stamp->store},
            {"epoch", stamp->epoch},
            {"tick", stamp->tick}};
}

Json json_of(const Failure& failure) {
    return {
        {"kind", text_of(failure.kind)}, {"reason", failure.reason}, {"message", failure.message}};
}

Json json_of(const std::optional<Failure>& failure) {
    return failure ? json_of(*failure) : Json();
}

Json json_of(const Result<Observed>& observed) {
    if (!observed.ok()) {
        return {{"failure", json_of(observed.failure())}};
    }
    const Observed& found = observed.value();
    Json marker;
    if (found.marker) {
        marker = {{"instance", print_uuid(found.marker->instance)},
                  {"generation", found.marker->generation},
                  {"state", found.marker->state}};
    }
    return {{"marker", marker},
            {"settings", found.settings.value_or(Json())},
            {"collections", json_of(found.collections)},
            {"has_objects", found.has_objects}};
}

Json json_of(const Outcome& outcome) {
    return {{"actions_done", outcome.actions_done}, {"failure", json_of(outcome.failure)}};
}

Json json_of(const FoundObject& object) {
    return {{"name", object.name},
            {"tenant", optional_uuid(object.tenant)},
            {"instance", optional_uuid(object.instance)},
            {"detail", object.detail}};
}

} // namespace tenancy::sidecar
