#include "mongodb/collections.hpp"

#include <algorithm>
#include <initializer_list>

#include <nlohmann/json.hpp>

#include "mongodb/templates.hpp"

namespace tenancy::sidecar::mongodb {
namespace {

// False when the server answers with one of the codes, which are no failure here.
bool write_unless(Session& session, const std::string& database, Document command,
                  Deadline deadline, std::initializer_list<int> codes) {
    try {
        session.write(database, std::move(command), deadline);
        return true;
    } catch (const CommandError& error) {
        if (std::ranges::find(codes, error.code()) == codes.end()) {
            throw;
        }
        return false;
    }
}

} // namespace

void create_collection(Session& session, const std::string& database,
                       const CollectionTemplate& collection, Deadline deadline) {
    Document command;
    command.text("create", collection.name);
    if (collection.validator) {
        command.json("validator", *collection.validator, Reading::extended);
    }
    if (!write_unless(session, database, std::move(command), deadline, {code::namespace_exists})) {
        set_validator(session, database, collection, deadline);
    }
}

void set_validator(Session& session, const std::string& database,
                   const CollectionTemplate& collection, Deadline deadline) {
    Document command;
    command.text("collMod", collection.name)
        .json("validator", collection.validator.value_or(Json::object()), Reading::extended)
        .text("validationLevel", "strict")
        .text("validationAction", "error");
    session.write(database, std::move(command), deadline);
}

void create_index(Session& session, const std::string& database, const std::string& collection,
                  const IndexTemplate& index, Deadline deadline) {
    std::vector<Document> indexes;
    indexes.push_back(index_document(index));
    Document command;
    command.text("createIndexes", collection).documents("indexes", indexes);
    session.write(database, std::move(command), deadline, Session::Patience::whole);
}

void replace_index(Session& session, const std::string& database, const std::string& collection,
                   const IndexTemplate& index, Deadline deadline) {
    drop_index(session, database, collection, index.name, deadline);
    create_index(session, database, collection, index, deadline);
}

void set_ttl(Session& session, const std::string& database, const std::string& collection,
             const IndexTemplate& index, Deadline deadline) {
    if (index.ttl_seconds) {
        Document change;
        change.text("name", index.name).integer("expireAfterSeconds", *index.ttl_seconds);
        Document command;
        command.text("collMod", collection).document("index", change);
        if (write_unless(session, database, std::move(command), deadline,
                         {code::bad_value, code::namespace_not_found, code::index_not_found,
                          code::invalid_options})) {
            return;
        }
    }
    replace_index(session, database, collection, index, deadline);
}

void drop_index(Session& session, const std::string& database, const std::string& collection,
                const std::string& index, Deadline deadline) {
    Document command;
    command.text("dropIndexes", collection).text("index", index);
    write_unless(session, database, std::move(command), deadline,
                 {code::namespace_not_found, code::index_not_found});
}

void drop_collection(Session& session, const std::string& database, const std::string& collection,
                     Deadline deadline) {
    Document command;
    command.text("drop", collection);
    write_unless(session, database, std::move(command), deadline, {code::namespace_not_found});
}

} // namespace tenancy::sidecar::mongodb
