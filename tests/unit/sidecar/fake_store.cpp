#include "fake_store.hpp"

#include <nlohmann/json.hpp>

namespace tenancy::sidecar {
namespace {

class FakeStore : public Store {
public:
    explicit FakeStore(std::shared_ptr<FakeServer> server) : server_(std::move(server)) {}

    void define(const StoreDefinition&) override {}

    Capabilities probe(Deadline) override {
        const auto lock = begin("probe");
        return server_->capabilities;
    }

    std::optional<Stamp> read_stamp(Deadline) override {
        const auto lock = begin("read_stamp");
        const auto found = server_->stamp;
        server_->after("read_stamp");
        return found;
    }

    bool write_stamp(const Stamp& stamp, const std::optional<Stamp>& expected, Deadline) override {
        const auto lock = begin("write_stamp");
        if (server_->stamp != expected) {
            return false;
        }
        server_->stamp = stamp;
        server_->after("write_stamp");
        return true;
    }

    std::uint64_t connection_number() const override {
        const std::lock_guard lock(server_->mutex);
        return server_->connection;
    }

    std::string runs(Deadline) override {
        const auto lock = begin("runs");
        return server_->runs;
    }

    std::vector<Result<Observed>> observe(std::span<const Desired> tenants, Deadline) override {
        const auto lock = begin("observe");
        auto& together = server_->looks.emplace_back();
        for (const auto& desired : tenants) {
            together.push_back(desired.tenant);
        }
        std::vector<Result<Observed>> results;
        for (const auto& desired : tenants) {
            server_->look(desired);
            if (const auto failure = server_->unreadable(desired)) {
                results.emplace_back(*failure);
            } else {
                results.emplace_back(observed(desired));
            }
        }
        return results;
    }

    std::vector<Outcome> apply(std::span<const Work> work, const Uuid& instance,
                               const std::function<bool()>& alive, Deadline) override {
        std::vector<Outcome> outcomes;
        for (const auto& one : work) {
            outcomes.push_back(carry_out(one, instance, alive));
        }
        return outcomes;
    }

    void list(const std::function<bool(std::vector<FoundObject>)>& batch, Deadline) override {
        std::vector<FoundObject> objects;
        {
            const auto lock = begin("list");
            for (const auto& [id, tenant] : server_->tenants) {
                FoundObject object;
                object.name = id;
                object.tenant = parse_uuid(id);
                object.instance =
                    tenant.marker ? std::optional(tenant.marker->instance) : std::nullopt;
                object.unanswered = tenant.unanswered;
                objects.push_back(object);
            }
        }
        if (batch({})) { // as Redis, while it walks
            batch(objects);
        }
    }

    std::optional<Failure> adopt(const FoundObject& object, const Uuid& instance,
                                 Deadline) override {
        const auto lock = begin("adopt");
        server_->tenants[object.name].marker = Marker{instance, 0, "provisioning"};
        return std::nullopt;
    }

    std::optional<Failure> prune(const FoundObject& object, Deadline) override {
        const auto lock = begin("prune");
        server_->tenants.erase(object.name);
        return std::nullopt;
    }

private:
    std::unique_lock<std::mutex> begin(std::string_view call) {
        std::unique_lock lock(server_->mutex);
        const auto before = server_->before; // a copy: it may put another in its place
        before(call);
        return lock;
    }

    Observed observed(const Desired& desired) const {
        Observed result;
        const auto found = server_->tenants.find(print_uuid(desired.tenant));
        if (found != server_->tenants.end()) {
            result.marker = found->second.marker;
            result.settings = found->second.settings;
            result.collections = found->second.collections;
            result.has_objects = true;
        }
        return result;
    }

    Outcome carry_out(const Work& work, const Uuid& instance, const std::function<bool()>& alive) {
        Outcome outcome;
        for (const auto& action : work.actions) {
            if (!alive()) {
                outcome.failure = Failure{FailureKind::transient, "LeaseLost", ""};
                return outcome;
            }
            const auto lock = begin(name_of(action.kind));
            outcome.failure = server_->fail(*work.desired, action);
            if (!outcome.failure) {
                outcome.failure = take(*work.desired, action, instance);
            }
            if (outcome.failure) {
                return outcome;
            }
            ++outcome.actions_done;
            server_->after(name_of(action.kind));
        }
        return outcome;
    }

    std::optional<Failure> take(const Desired& desired, const Action& action,
                                const Uuid& instance) {
        ++server_->writes;
        if (!server_->stamp || server_->stamp->instance != instance) {
            ++server_->fenced_writes;
        }
        const auto id = print_uuid(desired.tenant);
        if (action.kind == Action::Kind::erase) {
            server_->erased.push_back(id);
            server_->tenants.erase(id);
            return std::nullopt;
        }
        auto& tenant = server_->tenants[id];
        if (tenant.marker && tenant.marker->generation > desired.generation &&
            tenant.marker->generation != desired.disowned) {
            return Failure{FailureKind::superseded, "Superseded", ""};
        }
        change(tenant, desired, action, instance);
        return std::nullopt;
    }

    static void change(FakeServer::Tenant& tenant, const Desired& desired, const Action& action,
                       const Uuid& instance) {
        switch (action.kind) {
        case Action::Kind::claim:
            tenant.marker = Marker{instance, desired.generation, "provisioning"};
            break;
        case Action::Kind::publish:
            tenant.marker = Marker{instance, desired.generation, desired.state};
            tenant.settings = desired.settings;
            break;
        case Action::Kind::create_collection:
            tenant.collections[action.collection] = {
                action.collection, desired.templates->at(action.collection).validator, {}};
            break;
        case Action::Kind::create_index:
        case Action::Kind::replace_index:
        case Action::Kind::set_ttl:
            tenant.collections.at(action.collection).indexes[action.index] =
                desired.templates->at(action.collection).indexes.at(action.index);
            break;
        case Action::Kind::set_validator:
            tenant.collections.at(action.collection).validator =
                desired.templates->at(action.collection).validator;
            break;
        case Action::Kind::drop_index:
            tenant.collections.at(action.collection).indexes.erase(action.index);
            break;
        case Action::Kind::prune_collection:
            tenant.collections.erase(action.collection);
            break;
        case Action::Kind::erase:
            break;
        }
    }

    const std::shared_ptr<FakeServer> server_;
};

} // namespace

std::unique_ptr<Store> fake_store(std::shared_ptr<FakeServer> server) {
    return std::make_unique<FakeStore>(std::move(server));
}

} // namespace tenancy::sidecar
