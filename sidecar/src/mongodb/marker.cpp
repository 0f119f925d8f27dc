#include "mongodb/marker.hpp"

#include <limits>

#include <nlohmann/json.hpp>

#include "mongodb/places.hpp"

namespace tenancy::sidecar::mongodb {
namespace {

// Of one document, with room for what the server adds.
constexpr std::uint32_t largest_document = (16U << 20U) - (16U << 10U);

// Where the marker's is no integer: nobody of ours wrote that, and it counts as newer than any.
constexpr std::int64_t no_generation = std::numeric_limits<std::int64_t>::max();

std::optional<OrderedJson> find_one(Session& session, const std::string& database,
                                    const char* collection, const char* id, Deadline deadline) {
    Document command;
    command.text("find", collection)
        .document("filter", Document().text("_id", id))
        .integer("limit", 1)
        .flag("singleBatch", true);
    auto found = session.list(database, std::move(command), deadline);
    return found.empty() ? std::nullopt : std::optional<OrderedJson>(std::move(found.front()));
}

Document update_command(const char* collection, const Document& filter, const Document& change,
                        bool upsert) {
    Document update;
    update.document("q", filter).document("u", change).flag("upsert", upsert);
    Document command;
    command.text("update", collection);
    std::vector<Document> updates;
    updates.push_back(std::move(update));
    command.documents("updates", updates);
    return command;
}

Document insert_command(const char* collection, Document document) {
    std::vector<Document> documents;
    documents.push_back(std::move(document));
    Document command;
    command.text("insert", collection).documents("documents", documents);
    return command;
}

// Runs a write; false when a document with the same key is in the way.
bool write_unless_duplicate(Session& session, const std::string& database, Document command,
                            Deadline deadline, OrderedJson* reply = nullptr) {
    try {
        auto answer = session.write(database, std::move(command), deadline);
        if (reply != nullptr) {
            *reply = std::move(answer);
        }
        return true;
    } catch (const CommandError& error) {
        if (error.code() != code::duplicate_key) {
            throw;
        }
        return false;
    }
}

Document marker_document(const Marker& marker, const Json& settings) {
    Document document;
    document.text("_id", marker_id)
        .text("instance", print_uuid(marker.instance))
        .integer("generation", marker.generation)
        .text("state", marker.state)
        .json("settings", settings, Reading::plain);
    if (document.size() > largest_document) {
        throw DocumentError("the tenant's settings take more than a document of MongoDB holds "
                            "(16 MiB); make them smaller");
    }
    return document;
}

Uuid uuid_at(const OrderedJson& document, const char* key) {
    return parse_uuid(text_at(document, key)).value_or(Uuid{});
}

Marker marker_in(const OrderedJson& found) {
    return {uuid_at(found, "instance"), integer_at(found, "generation", no_generation),
            text_at(found, "state")};
}

std::optional<OrderedJson> find_marker(Session& session, const std::string& database,
                                       Deadline deadline) {
    return find_one(session, database, marker_collection, marker_id, deadline);
}

// If it is still what was found. Whatever stands for a generation there is compared as it is.
bool replace_found(Session& session, const std::string& database, const OrderedJson& found,
                   const Document& wanted, Deadline deadline) {
    const auto generation = found.find("generation");
    const Json shown = generation == found.end() ? Json() : Json(*generation);
    Document filter;
    filter.text("_id", marker_id)
        .text("instance", text_at(found, "instance"))
        .document("generation", Document().json("$eq", shown, Reading::extended));
    const auto reply =
        session.write(database, update_command(marker_collection, filter, wanted, false), deadline);
    return integer_at(reply, "n", 0) == 1;
}

Failure changed_meanwhile() {
    return {FailureKind::transient, "ChangedMeanwhile",
            "somebody else changed the marker at the same time"};
}

Document stamp_document(const Stamp& stamp) {
    Document document;
    document.text("_id", stamp_id)
        .text("instance", print_uuid(stamp.instance))
        .text("store", stamp.store)
        .integer("epoch", stamp.epoch)
        .integer("tick", stamp.tick);
    return document;
}

std::optional<Failure> publish_settings(Session& session, const Desired& desired,
                                        const Json& settings, const Uuid& instance,
                                        Deadline deadline) {
    const Marker marker{instance, desired.generation, desired.state};
    const auto database = database_of(desired.tenant);
    if (replace_marker(session, database, marker, settings, deadline)) {
        return std::nullopt;
    }
    const auto found = find_marker(session, database, deadline);
    if (!found) {
        return changed_meanwhile();
    }
    if (auto refused = refusal_by(marker_in(*found), desired, instance)) {
        return refused;
    }
    return replace_found(session, database, *found, marker_document(marker, settings), deadline)
               ? std::nullopt
               : std::optional<Failure>(changed_meanwhile());
}

} // namespace

std::optional<MarkerDocument> read_marker(Session& session, const std::string& database,
                                          Deadline deadline) {
    const auto found = find_marker(session, database, deadline);
    if (!found) {
        return std::nullopt;
    }
    MarkerDocument read;
    read.marker = marker_in(*found);
    if (const auto settings = found->find("settings"); settings != found->end()) {
        read.settings = Json(*settings);
    }
    return read;
}

std::optional<Failure> refusal_by(const Marker& marker, const Desired& desired,
                                  const Uuid& instance) {
    if (marker.instance != instance) {
        return Failure{FailureKind::foreign, "ForeignInstance",
                       "the database belongs to instance " + print_uuid(marker.instance) +
                           "; remove it, or adopt this installation as its replacement"};
    }
    if (marker.generation > desired.generation && marker.generation != desired.disowned) {
        return Failure{FailureKind::superseded, "Superseded",
                       "the database shows generation " + std::to_string(marker.generation) +
                           " already"};
    }
    return std::nullopt;
}

bool replace_marker(Session& session, const std::string& database, const Marker& marker,
                    const Json& settings, Deadline deadline) {
    Document filter;
    filter.text("_id", marker_id)
        .text("instance", print_uuid(marker.instance))
        .document("generation", Document().integer("$lte", marker.generation));
    auto command =
        update_command(marker_collection, filter, marker_document(marker, settings), true);
    return write_unless_duplicate(session, database, std::move(command), deadline);
}

// What takes something away from the tenant is shown though its settings cannot be: then with none,
// for those of another generation would pass as this one's.
std::optional<Failure> publish(Session& session, const Desired& desired, const Uuid& instance,
                               Deadline deadline, bool& shown) {
    const auto with = [&](const Json& settings) {
        auto failure = publish_settings(session, desired, settings, instance, deadline);
        shown = !failure;
        return failure;
    };
    try {
        return with(desired.settings);
    } catch (const DocumentError& error) {
        if (!restricts(desired.state)) {
            throw;
        }
        const auto failure = with(Json::object());
        return failure ? failure : Failure{FailureKind::permanent, "Refused", error.what()};
    }
}

std::optional<Failure> claim(Session& session, const Desired& desired, const Uuid& instance,
                             Deadline deadline) {
    const Marker marker{instance, desired.generation, "provisioning"};
    auto command = insert_command(marker_collection, marker_document(marker, Json::object()));
    if (write_unless_duplicate(session, database_of(desired.tenant), std::move(command),
                               deadline)) {
        return std::nullopt;
    }
    const auto found = read_marker(session, database_of(desired.tenant), deadline);
    return found ? refusal_by(found->marker, desired, instance) : std::nullopt;
}

std::optional<Failure> take_over(Session& session, const std::string& database,
                                 const std::optional<Uuid>& found, const Uuid& instance,
                                 Deadline deadline) {
    auto document = marker_document({instance, 0, "provisioning"}, Json::object());
    Document command;
    if (found) {
        Document filter;
        filter.text("_id", marker_id).text("instance", print_uuid(*found));
        command = update_command(marker_collection, filter, document, true);
    } else {
        command = insert_command(marker_collection, std::move(document));
    }
    if (write_unless_duplicate(session, database, std::move(command), deadline)) {
        return std::nullopt;
    }
    const auto now = read_marker(session, database, deadline);
    const bool done = now && now->marker.instance == instance;
    return done ? std::nullopt : std::optional<Failure>(changed_meanwhile());
}

std::optional<Stamp> read_stamp(Session& session, Deadline deadline) {
    const auto found = find_one(session, stamp_database, stamp_collection, stamp_id, deadline);
    if (!found) {
        return std::nullopt;
    }
    const auto instance = parse_uuid(text_at(*found, "instance"));
    Stamp stamp{instance.value_or(Uuid{}), text_at(*found, "store"),
                integer_at(*found, "epoch", -1), integer_at(*found, "tick", -1)};
    if (!instance || stamp.store.empty() || stamp.epoch < 0 || stamp.tick < 0) {
        throw Unavailable("StampUnreadable", "MongoDB: the document of tenancy.instance holds no "
                                             "stamp: see what wrote it");
    }
    return stamp;
}

bool write_stamp(Session& session, const Stamp& stamp, const std::optional<Stamp>& expected,
                 Deadline deadline) {
    if (!expected) {
        return write_unless_duplicate(session, stamp_database,
                                      insert_command(stamp_collection, stamp_document(stamp)),
                                      deadline);
    }
    // A replacement of the document by its equal counts as a match, too.
    OrderedJson reply;
    auto command =
        update_command(stamp_collection, stamp_document(*expected), stamp_document(stamp), false);
    write_unless_duplicate(session, stamp_database, std::move(command), deadline, &reply);
    return integer_at(reply, "n", 0) == 1;
}

} // namespace tenancy::sidecar::mongodb
