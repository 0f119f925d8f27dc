// What a tenant should be in a store, what it is there, and the steps from one to the other. The
// same words for every kind of store; a kind that has no collections leaves them empty.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.hpp"
#include "uuid.hpp"

namespace tenancy::sidecar {

// An index of a collection. keys in their order; 1 ascending, -1 descending, or a text ("hashed").
struct IndexTemplate {
    std::string name;
    std::vector<std::pair<std::string, JsonValue>> keys;
    bool unique = false;
    bool sparse = false;
    std::optional<std::int64_t> ttl_seconds;
    std::optional<JsonValue> partial;   // partialFilterExpression
    std::optional<JsonValue> collation; // as the server takes it

    friend bool operator==(const IndexTemplate&, const IndexTemplate&) = default;
};

// What tenancy.define_collection() asks for in each tenant's database.
struct CollectionTemplate {
    std::string name;
    std::optional<JsonValue> validator;           // none: every document is accepted
    std::map<std::string, IndexTemplate> indexes; // by name, without _id_

    friend bool operator==(const CollectionTemplate&, const CollectionTemplate&) = default;
};

using Templates = std::map<std::string, CollectionTemplate>; // by name

// Whether the state takes something away from the tenant: that is shown before all else.
[[nodiscard]] bool restricts(std::string_view state);

// What PostgreSQL wants of one tenant in one store.
struct Desired {
    Uuid tenant;
    std::string state;                 // of tenancy.tenant: provisioning, active, ...
    bool present = true;               // false: everything is to be gone, and proven gone
    std::int64_t generation = 0;       // of the tenant
    std::int64_t store_generation = 0; // of the store's templates
    bool reached_before = false;       // the store has reported the tenant as present once
    // A generation that the store shows and the database has never given out: it gives way.
    std::optional<std::int64_t> disowned;
    JsonValue settings; // key -> value; is_discarded() when it cannot be read
    std::shared_ptr<const Templates> templates;
};

// The mark that says whose a tenant's objects are and what they were made for.
struct Marker {
    Uuid instance;
    std::int64_t generation = 0;
    std::string state;

    friend bool operator==(const Marker&, const Marker&) = default;
};

// What was found of one tenant in one store.
struct Observed {
    std::optional<Marker> marker;
    std::optional<JsonValue> settings; // an object; nothing where there is none
    Templates collections;             // as they are, tenancy's own left out
    bool has_objects = false;          // anything at all of the tenant is there, marker included
};

// One idempotent step. erase deletes everything of the tenant and proves by looking again that it
// is gone. claim writes the marker with state provisioning, before anything else is made; publish
// writes marker, state and settings as desired. Both refuse to go back behind a newer generation,
// unless it is the one that is disowned.
struct Action {
    enum class Kind : std::uint8_t {
        claim,
        publish,
        create_collection,
        set_validator, // also takes one away
        create_index,
        replace_index, // drop, then create: keys or options differ
        set_ttl,
        drop_index,
        prune_collection,
        erase
    };

    Kind kind = Kind::publish;
    std::string collection; // of the collection steps
    std::string index;      // of the index steps

    friend bool operator==(const Action&, const Action&) = default;
};

// "publish", "create_index", ...: for logs, failpoints and metrics.
[[nodiscard]] std::string_view name_of(Action::Kind kind);

// What a store is stamped with: the one instance that may write to it, and which of its stores it
// is. tick only ever grows; a store that has seen a higher one than the database has been written
// to by another copy of the database.
struct Stamp {
    Uuid instance;
    std::string store; // its name
    std::int64_t epoch = 0;
    std::int64_t tick = 0;
    bool elsewhere = false; // in another place of the store's server

    friend bool operator==(const Stamp&, const Stamp&) = default;
};

// What a store can do and what it lacks. `missing` lists required capabilities that are not there:
// when it is not empty, nothing is written to the store.
struct Capabilities {
    std::string product; // "Redis", "MongoDB": what the server calls itself
    std::string version; // as the server says it; nothing is decided by it
    JsonValue details;
    std::vector<std::string> missing;
    std::vector<std::string> warnings; // works, but somebody should know
};

// Something in the store that bears a tenant's name: a database, or keys of a namespace.
struct FoundObject {
    std::string name;             // "t_<hex>", "{t:<hex>}:"
    std::optional<Uuid> tenant;   // that the name stands for, where it is of that form
    std::optional<Uuid> instance; // of its marker
    JsonValue detail;             // what helps a person: counts, sizes
    bool unanswered = false;      // the store did not say whose it is
};

} // namespace tenancy::sidecar
