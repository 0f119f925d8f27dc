#include "mongodb/catalogue.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "mongodb/places.hpp"
#include "mongodb/templates.hpp"

namespace tenancy::sidecar::mongodb {
namespace {

constexpr std::size_t longest_name = 63; // of a database

std::vector<std::string> databases_with(Session& session, Document name, Deadline deadline) {
    Document command;
    command.integer("listDatabases", 1)
        .flag("nameOnly", true)
        .document("filter", Document().document("name", name));
    const auto reply = session.run(admin_database, std::move(command), deadline);
    const auto listed = reply.find("databases");
    if (listed == reply.end() || !listed->is_array()) {
        throw Unavailable("ProtocolError", "MongoDB: listDatabases was answered without a list");
    }
    std::vector<std::string> names;
    names.reserve(listed->size());
    for (const auto& database : *listed) {
        names.push_back(text_at(database, "name"));
    }
    return names;
}

std::map<std::string, IndexTemplate> read_indexes(Session& session, const std::string& database,
                                                  const std::string& collection,
                                                  Deadline deadline) {
    Document command;
    command.text("listIndexes", collection);
    std::map<std::string, IndexTemplate> indexes;
    try {
        for (const auto& listed : session.list(database, std::move(command), deadline)) {
            auto index = read_index(listed);
            if (index.name != "_id_") {
                indexes.emplace(index.name, std::move(index));
            }
        }
    } catch (const CommandError& error) {
        if (error.code() != code::namespace_not_found) {
            throw; // else it was dropped a moment ago
        }
    }
    return indexes;
}

} // namespace

std::vector<std::string> databases_beginning(Session& session, const std::string& prefix,
                                             Deadline deadline) {
    try {
        return databases_with(session, std::move(Document().text("$regex", "^" + prefix)),
                              deadline);
    } catch (const CommandError& error) {
        if (error.code() != code::too_large || prefix.size() >= longest_name) {
            throw;
        }
    }
    // More than a reply holds: in parts.
    std::vector<std::string> all;
    for (const char digit : std::string_view("0123456789abcdef")) {
        auto part = databases_beginning(session, prefix + digit, deadline);
        std::ranges::move(part, std::back_inserter(all));
    }
    return all;
}

std::vector<std::string> databases_among(Session& session, const std::vector<std::string>& names,
                                         Deadline deadline) {
    return databases_with(session, std::move(Document().texts("$in", names)), deadline);
}

std::vector<OrderedJson> list_collections(Session& session, const std::string& database,
                                          Deadline deadline) {
    Document command;
    command.integer("listCollections", 1);
    return session.list(database, std::move(command), deadline);
}

Templates read_collections(Session& session, const std::string& database,
                           const std::vector<OrderedJson>& listed, const Templates& wanted,
                           Deadline deadline) {
    Templates found;
    for (const auto& each : listed) {
        auto collection = read_collection(each);
        if (!is_tenants_collection(collection.name)) {
            continue;
        }
        if (const auto same = wanted.find(collection.name); same != wanted.end()) {
            collection.indexes = read_indexes(session, database, collection.name, deadline);
            collection = in_words_of(same->second, std::move(collection));
        }
        std::string name = collection.name;
        found.emplace(std::move(name), std::move(collection));
    }
    return found;
}

} // namespace tenancy::sidecar::mongodb
