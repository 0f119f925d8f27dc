#include "mongodb/probe.hpp"

#include <charconv>
#include <chrono>
#include <functional>
#include <random>

#include <nlohmann/json.hpp>

#include "mongodb/catalogue.hpp"
#include "mongodb/collections.hpp"
#include "mongodb/erase.hpp"
#include "mongodb/marker.hpp"
#include "mongodb/places.hpp"
#include "mongodb/templates.hpp"

namespace tenancy::sidecar::mongodb {
namespace {

constexpr std::string_view scratch_prefix = "tenancy_probe_";
constexpr const char* scratch_collection = "probe";
// A scratch database this old belongs to nobody who is still at work.
constexpr std::int64_t abandoned_after = 3600; // seconds

std::int64_t now() {
    const auto since = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::seconds>(since).count();
}

std::string scratch_name() {
    std::random_device random;
    return std::string(scratch_prefix) + std::to_string(now()) + "_" + std::to_string(random());
}

bool is_abandoned(const std::string& name) {
    std::int64_t made = 0;
    const char* end = name.data() + name.size();
    const auto read = std::from_chars(name.data() + scratch_prefix.size(), end, made);
    return read.ec == std::errc() && read.ptr != end && made < now() - abandoned_after;
}

CollectionTemplate collection_of(const char* type) {
    return {scratch_collection, Json{{"v", {{"$type", type}}}}, {}};
}

IndexTemplate index_on(const char* field) {
    IndexTemplate index;
    index.name = field;
    index.keys.emplace_back(field, 1);
    return index;
}

// The server answered well, and did something else.
class Deceived : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

class Tryout {
public:
    Tryout(Session& session, Deadline deadline)
        : session_(session), deadline_(deadline), database_(scratch_name()) {}

    Trial run();

private:
    void attempt(const char* capability, const std::function<void()>& trying);
    void read_versions();
    void drop_abandoned();
    void publish();
    void list_databases();
    void make_collection();
    void change_validator();
    void expect_validator(const CollectionTemplate& wanted);
    void violate_uniqueness();
    void make_index(const IndexTemplate& index);
    CollectionTemplate find_collection(const Templates& wanted);
    void expect_index(const IndexTemplate& index);
    void try_indexes();
    void expect_refusal(int code, const char* field, const char* deceit);
    void drop_scratch();

    Session& session_;
    Deadline deadline_;
    std::string database_;
    Trial trial_;
};

void Tryout::attempt(const char* capability, const std::function<void()>& trying) {
    std::string& result = trial_.results[capability];
    try {
        trying();
    } catch (const CommandError& error) {
        result = failure_of(error).message;
    } catch (const Deceived& error) {
        result = error.what();
    } catch (const Unavailable& error) {
        if (error.reason() != "PermissionDenied") {
            throw;
        }
        result = error.what();
    }
}

void Tryout::read_versions() {
    const auto ask = [this](const char* what) {
        return session_.run(admin_database, std::move(Document().integer(what, 1)), deadline_);
    };
    const auto hello = ask("hello");
    const auto build = ask("buildInfo");
    trial_.replicated = hello.contains("setName") || text_at(hello, "msg") == "isdbgrid";
    trial_.version = text_at(build, "version");
    trial_.product = build.contains("ferretdb") ? "FerretDB" : "MongoDB";
}

void Tryout::drop_abandoned() {
    for (const auto& name : databases_beginning(session_, std::string(scratch_prefix), deadline_)) {
        if (is_abandoned(name)) {
            static_cast<void>(erase_database(session_, name, [] { return true; }, deadline_));
        }
    }
}

// The conditional replacements that a marker lives by: made, repeated, refused.
void Tryout::publish() {
    const auto replace = [this](std::int64_t generation) {
        return replace_marker(session_, database_, {Uuid{}, generation, "active"}, Json::object(),
                              deadline_);
    };
    const bool made = replace(2);
    const bool repeated = replace(2);
    if (!made || !repeated) {
        throw Deceived("a document cannot be replaced under a condition");
    }
    if (replace(1)) {
        throw Deceived("a document is replaced although the condition does not hold");
    }
    const auto found = read_marker(session_, database_, deadline_);
    if (!found || found->marker.generation != 2) {
        throw Deceived("a document that was acknowledged cannot be read again");
    }
}

void Tryout::list_databases() {
    if (databases_among(session_, {database_}, deadline_).size() != 1 ||
        databases_beginning(session_, database_, deadline_).size() != 1) {
        throw Deceived("a database that exists is not listed");
    }
    drop_abandoned();
}

void Tryout::expect_validator(const CollectionTemplate& wanted) {
    for (const auto& listed : list_collections(session_, database_, deadline_)) {
        const auto found = read_collection(listed);
        if (found.name == wanted.name && found.validator == canonical(wanted).validator) {
            return;
        }
    }
    throw Deceived("a validator is accepted but not kept");
}

void Tryout::expect_refusal(int code, const char* field, const char* deceit) {
    std::vector<Document> rows;
    rows.emplace_back().integer(field, 1);
    Document insert;
    insert.text("insert", scratch_collection).documents("documents", rows);
    try {
        session_.write(database_, std::move(insert), deadline_);
    } catch (const CommandError& error) {
        if (error.code() == code) {
            return;
        }
        throw;
    }
    throw Deceived(deceit);
}

void Tryout::make_collection() {
    const auto wanted = collection_of("string");
    create_collection(session_, database_, wanted, deadline_);
    expect_validator(wanted);
    expect_refusal(code::validation_failed, "v", "a validator is kept but not enforced");
}

void Tryout::change_validator() {
    const auto wanted = collection_of("number");
    set_validator(session_, database_, wanted, deadline_);
    expect_validator(wanted);
}

// As it is shown, in the words of the template; without anything where it is not.
CollectionTemplate Tryout::find_collection(const Templates& wanted) {
    auto found = read_collections(
        session_, database_, list_collections(session_, database_, deadline_), wanted, deadline_);
    return found[scratch_collection];
}

void Tryout::expect_index(const IndexTemplate& index) {
    Templates wanted;
    auto& collection = wanted[scratch_collection];
    collection.name = scratch_collection;
    collection.indexes.emplace(index.name, index);
    const auto there = find_collection(wanted);
    const auto same = there.indexes.find(index.name);
    if (same == there.indexes.end() || same->second != index) {
        throw Deceived("an index is accepted but not kept as it was asked for");
    }
}

void Tryout::make_index(const IndexTemplate& index) {
    create_index(session_, database_, scratch_collection, index, deadline_);
    expect_index(index);
}

void Tryout::violate_uniqueness() {
    std::vector<Document> rows;
    rows.emplace_back().integer("v", 1);
    Document insert;
    insert.text("insert", scratch_collection).documents("documents", rows);
    session_.write(database_, std::move(insert), deadline_);
    expect_refusal(code::duplicate_key, "v", "a unique index is kept but not enforced");
}

void Tryout::try_indexes() {
    attempt("unique_index", [this] {
        auto unique = index_on("v");
        unique.unique = true;
        make_index(unique);
        violate_uniqueness();
    });
    auto ttl = index_on("ttl");
    ttl.ttl_seconds = 3600;
    attempt("ttl_index", [&] { make_index(ttl); });
    attempt("change_ttl", [&] {
        ttl.ttl_seconds = 7200;
        set_ttl(session_, database_, scratch_collection, ttl, deadline_);
        expect_index(ttl);
    });
    attempt("partial_index", [this] {
        auto partial = index_on("partial");
        partial.partial = Json{{"partial", {{"$gt", 1}}}};
        make_index(partial);
    });
    attempt("sparse_index", [this] {
        auto sparse = index_on("sparse");
        sparse.sparse = true;
        make_index(sparse);
    });
    attempt("collation_index", [this] {
        auto collated = index_on("collated");
        collated.collation = Json{{"locale", "en"}, {"strength", 2}};
        make_index(collated);
    });
}

void Tryout::drop_scratch() {
    if (auto failure = erase_database(session_, database_, [] { return true; }, deadline_)) {
        throw Deceived(failure->message);
    }
}

Trial Tryout::run() {
    read_versions();
    attempt("publish", [this] { publish(); });
    attempt("list_databases", [this] { list_databases(); });
    attempt("validator", [this] { make_collection(); });
    attempt("change_validator", [this] { change_validator(); });
    try_indexes();
    attempt("drop_database", [this] { drop_scratch(); });
    return std::move(trial_);
}

} // namespace

Trial try_server(Session& session, Deadline deadline) {
    return Tryout(session, deadline).run();
}

} // namespace tenancy::sidecar::mongodb
