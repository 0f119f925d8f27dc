// The MongoDB store: a database for each tenant.
#include <optional>
#include <set>
#include <utility>

#include <nlohmann/json.hpp>

#include "mongodb/catalogue.hpp"
#include "mongodb/erase.hpp"
#include "mongodb/marker.hpp"
#include "mongodb/namespaces.hpp"
#include "mongodb/observe.hpp"
#include "mongodb/places.hpp"
#include "mongodb/probe.hpp"
#include "mongodb/session.hpp"
#include "mongodb/sightings.hpp"
#include "mongodb/steps.hpp"
#include "store/store.hpp"

namespace tenancy::sidecar {
namespace {

using namespace mongodb;

constexpr std::size_t names_at_once = 1000;

// For what concerns no single tenant: whatever the server refuses there, the store cannot be worked
// with.
template <typename Function>
auto guarded(Function&& function) {
    try {
        return function();
    } catch (const CommandError& error) {
        const auto failure = failure_of(error);
        throw Unavailable(failure.reason, "MongoDB: " + failure.message);
    }
}

class MongoStore : public Store {
public:
    explicit MongoStore(const StoreConfig& config)
        : session_(config), namespaces_(NamespaceCount::of(config)) {}

    void define(const StoreDefinition& definition) override { definition_ = definition; }

    Capabilities probe(Deadline deadline) override;

    std::optional<Stamp> read_stamp(Deadline deadline) override {
        return guarded([&] { return mongodb::read_stamp(session_, deadline); });
    }
    bool write_stamp(const Stamp& stamp, const std::optional<Stamp>& expected,
                     Deadline deadline) override {
        return guarded([&] { return mongodb::write_stamp(session_, stamp, expected, deadline); });
    }
    [[nodiscard]] std::uint64_t connection_number() const override {
        return session_.connection_number();
    }

    std::string runs(Deadline deadline) override;

    std::vector<Result<Observed>> observe(std::span<const Desired> tenants,
                                          Deadline deadline) override;
    std::vector<Outcome> apply(std::span<const Work> work, const Uuid& instance,
                               const std::function<bool()>& alive, Deadline deadline) override;
    void list(const std::function<bool(std::vector<FoundObject>)>& batch,
              Deadline deadline) override;
    std::optional<Failure> adopt(const FoundObject& object, const Uuid& instance,
                                 Deadline deadline) override;
    std::optional<Failure> prune(const FoundObject& object, Deadline deadline) override;

private:
    // Runs what changes an unknown object, if its name is a tenant's.
    template <typename Function>
    std::optional<Failure> on_object(const FoundObject& object, Function&& function) {
        if (!tenant_of(object.name)) {
            return Failure{FailureKind::permanent, "Refused",
                           object.name + " is not the name of a tenant's database"};
        }
        const Session::Fixed fixed(session_);
        try {
            return function();
        } catch (const CommandError& error) {
            return failure_of(error);
        }
    }

    void add_those_listed(std::span<const Desired> tenants, std::vector<Result<Observed>>& observed,
                          Deadline deadline);

    [[nodiscard]] FoundObject object_at(const std::string& database, const Uuid& tenant,
                                        Deadline deadline);

    Session session_;
    Sightings sightings_;
    std::set<decltype(Uuid::bytes)> unanswered_; // when they were observed last
    std::shared_ptr<NamespaceCount> namespaces_;
    StoreDefinition definition_;
    std::optional<Trial> trial_;
    std::uint64_t tried_on_ = 0; // connection number
};

Capabilities MongoStore::probe(Deadline deadline) {
    if (!trial_ || tried_on_ != session_.connection_number()) {
        trial_ = guarded([&] { return try_server(session_, deadline); });
        tried_on_ = session_.connection_number();
    }
    return judge(*trial_, definition_.templates ? *definition_.templates : Templates());
}

// Of the primary. A router holds no data and does not tell of its shards; where there are several
// another one may answer each time. Where a server has no name for its process every connection
// counts as one.
std::string MongoStore::runs(Deadline deadline) {
    Document question;
    question.integer("hello", 1);
    const auto hello =
        guarded([&] { return session_.run("admin", std::move(question), deadline); });
    if (text_at(hello, "msg") == "isdbgrid") {
        return "router";
    }
    const auto process = hello.find("topologyVersion");
    const auto election = hello.find("electionId");
    const bool named = process != hello.end() && process->contains("processId");
    return (named ? (*process)["processId"].dump() : std::to_string(session_.connection_number())) +
           (election != hello.end() ? ' ' + election->dump() : "");
}

std::vector<Result<Observed>> MongoStore::observe(std::span<const Desired> tenants,
                                                  Deadline deadline) {
    std::vector<Result<Observed>> observed;
    observed.reserve(tenants.size());
    for (const auto& desired : tenants) {
        unanswered_.insert(desired.tenant.bytes); // until it is
        observed.push_back(
            observe_tenant(session_, desired, templates_of(desired, definition_), deadline));
        unanswered_.erase(desired.tenant.bytes);
        if (!observed.back().ok()) {
            continue;
        }
        if (const auto& marker = observed.back().value().marker) {
            sightings_.saw(desired.tenant, marker->instance);
        }
    }
    add_those_listed(tenants, observed, deadline);
    return observed;
}

// Absence is proven by both ways of looking.
void MongoStore::add_those_listed(std::span<const Desired> tenants,
                                  std::vector<Result<Observed>>& observed, Deadline deadline) {
    std::map<std::string, Observed*> absent;
    for (std::size_t index = 0; index < tenants.size(); ++index) {
        if (!tenants[index].present && observed[index].ok()) {
            absent.emplace(database_of(tenants[index].tenant), &observed[index].value());
        }
    }
    if (absent.empty()) {
        return;
    }
    std::vector<std::string> names;
    names.reserve(absent.size());
    for (const auto& [name, each] : absent) {
        names.push_back(name);
    }
    for (const auto& name : guarded([&] { return databases_among(session_, names, deadline); })) {
        if (const auto found = absent.find(name); found != absent.end()) {
            found->second->has_objects = true;
        }
    }
}

std::vector<Outcome> MongoStore::apply(std::span<const Work> work, const Uuid& instance,
                                       const std::function<bool()>& alive, Deadline deadline) {
    const Session::Fixed fixed(session_);
    const Bench bench{session_, *namespaces_, definition_, instance, alive, deadline};
    std::vector<Outcome> outcomes;
    outcomes.reserve(work.size());
    for (const auto& each : work) {
        outcomes.push_back(take_steps(bench, each));
    }
    return outcomes;
}

// Whose it is matters of strangers only. A tenant that was observed in vain is not asked for again,
// and one over which the server hangs, though it is there, keeps nothing else from being listed.
FoundObject MongoStore::object_at(const std::string& database, const Uuid& tenant,
                                  Deadline deadline) {
    FoundObject object{database, tenant, sightings_.instance_of(tenant), Json::object()};
    object.unanswered = unanswered_.contains(tenant.bytes);
    if (object.instance || object.unanswered) {
        return object;
    }
    try {
        const auto found = guarded([&] { return read_marker(session_, database, deadline); });
        object.instance = found ? std::optional<Uuid>(found->marker.instance) : std::nullopt;
    } catch (const Unavailable& problem) {
        if (problem.reason() != "TimedOut" && problem.reason() != "ShardUnavailable") {
            throw;
        }
        (void)read_stamp(deadline);
        object.unanswered = true;
    }
    return object;
}

void MongoStore::list(const std::function<bool(std::vector<FoundObject>)>& batch,
                      Deadline deadline) {
    const auto names = guarded([&] { return databases_beginning(session_, "t_", deadline); });
    std::vector<FoundObject> objects;
    for (const auto& name : names) {
        if (const auto tenant = tenant_of(name)) {
            objects.push_back(object_at(name, *tenant, deadline));
        }
        // Who waits for the list hears something after each that took long, too.
        const bool told =
            objects.size() == names_at_once || (!objects.empty() && objects.back().unanswered);
        if (told && !batch(std::exchange(objects, {}))) {
            return;
        }
    }
    if (!objects.empty()) {
        batch(std::move(objects));
    }
    sightings_.begin();
    unanswered_.clear();
}

std::optional<Failure> MongoStore::adopt(const FoundObject& object, const Uuid& instance,
                                         Deadline deadline) {
    return on_object(object, [&] {
        return take_over(session_, object.name, object.instance, instance, deadline);
    });
}

// Only while its marker is the one that it was found with.
std::optional<Failure> MongoStore::prune(const FoundObject& object, Deadline deadline) {
    return on_object(object, [&]() -> std::optional<Failure> {
        const auto found = read_marker(session_, object.name, deadline);
        const auto now = found ? std::optional<Uuid>(found->marker.instance) : std::nullopt;
        if (now != object.instance) {
            return Failure{FailureKind::transient, "ChangedMeanwhile",
                           object.name + " has another marker than it was found with"};
        }
        auto failure = erase_database(session_, object.name, [] { return true; }, deadline);
        if (!failure) {
            namespaces_->removed(object.name);
        }
        return failure;
    });
}

} // namespace

std::unique_ptr<Store> make_mongodb_store(const StoreConfig& config) {
    return std::make_unique<MongoStore>(config);
}

} // namespace tenancy::sidecar
