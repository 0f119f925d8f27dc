// The store of kind "redis": markers and settings as hashes, each change one script on the server.
#include <charconv>
#include <optional>
#include <utility>

#include "base/failpoint.hpp"
#include "redis/inspection.hpp"
#include "redis/keys.hpp"
#include "redis/publication.hpp"
#include "redis/refusal.hpp"
#include "redis/scripts.hpp"
#include "redis/sweep.hpp"
#include "redis/tally.hpp"
#include "store/store.hpp"

namespace tenancy::sidecar {
namespace redis {
namespace {

const std::function<bool()> always = [] { return true; };

std::vector<Address> addresses_of(const StoreConfig& config) {
    std::vector<Address> addresses;
    for (const std::string& text : config.addresses) {
        const auto address = parse_address(text);
        if (!address) {
            throw ConfigError("store " + config.name + ": \"" + text +
                              "\" is no address; write host:port, IPv6 as [::1]:6379");
        }
        addresses.push_back(*address);
    }
    if (addresses.empty()) {
        throw ConfigError("store " + config.name +
                          " has no addresses; give at least one host:port");
    }
    if (config.cluster && config.database != 0) {
        throw ConfigError("store " + config.name + ": a cluster has database 0 only");
    }
    return addresses;
}

class RedisStore : public Store {
public:
    explicit RedisStore(const StoreConfig& config)
        : config_(config), addresses_(addresses_of(config)), access_(config),
          nodes_(config.cluster ? make_cluster(addresses_, access_)
                                : make_standalone(addresses_, access_, config.database)) {}

    void define(const StoreDefinition&) override {} // there are no options and no templates
    Capabilities probe(Deadline deadline) override;
    std::optional<Stamp> read_stamp(Deadline deadline) override;
    bool write_stamp(const Stamp& stamp, const std::optional<Stamp>& expected,
                     Deadline deadline) override;
    std::uint64_t connection_number() const override { return nodes_->connection_number(); }
    std::string runs(Deadline deadline) override { return runs_of(*nodes_, deadline); }
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
    void look_for_keys(std::span<const Desired> tenants, std::vector<Result<Observed>>& results,
                       Deadline deadline);

    StoreConfig config_;
    std::vector<Address> addresses_;
    Access access_;
    std::unique_ptr<Nodes> nodes_;
};

Capabilities RedisStore::probe(Deadline deadline) {
    nodes_->look_again();
    return inspect(config_, addresses_, access_, *nodes_, deadline);
}

std::optional<Stamp> RedisStore::read_stamp(Deadline deadline) {
    return config_.cluster ? redis::read_stamp(*nodes_, deadline)
                           : read_server_stamp(*nodes_, config_.database, deadline);
}

bool RedisStore::write_stamp(const Stamp& stamp, const std::optional<Stamp>& expected,
                             Deadline deadline) {
    return redis::write_stamp(*nodes_, stamp, expected, deadline);
}

std::vector<Result<Observed>> RedisStore::observe(std::span<const Desired> tenants,
                                                  Deadline deadline) {
    auto results = read_tenants(*nodes_, tenants, deadline);
    look_for_keys(tenants, results, deadline);
    return results;
}

// Only for those that are to be absent and have neither marker nor settings: these would be keys.
// With a share of the time, since the other tenants of the call need the rest: where that is not
// enough to look at every key, the keys may be there, and erasing looks again and takes longer.
void RedisStore::look_for_keys(std::span<const Desired> tenants,
                               std::vector<Result<Observed>>& results, Deadline deadline) {
    std::vector<std::size_t> places;
    std::vector<Uuid> absent;
    std::vector<std::string> prefixes;
    for (std::size_t i = 0; i < tenants.size(); i++) {
        if (!tenants[i].present && results[i].ok() && !results[i].value().has_objects) {
            places.push_back(i);
            absent.push_back(tenants[i].tenant);
            prefixes.push_back(prefix_of(tenants[i].tenant));
        }
    }
    if (places.empty()) {
        return;
    }
    const auto share = Deadline::in(deadline.left() / 4);
    const auto found =
        Sweep(*nodes_, std::move(prefixes), pattern_for(absent), always, share).look();
    for (std::size_t i = 0; i < places.size(); i++) {
        const bool unfinished = !found[i].ok() && found[i].failure().reason == Sweep::unfinished;
        if (found[i].ok() || unfinished) {
            results[places[i]].value().has_objects = unfinished || found[i].value();
        } else {
            results[places[i]] = found[i].failure();
        }
    }
}

std::vector<Outcome> RedisStore::apply(std::span<const Work> work, const Uuid& instance,
                                       const std::function<bool()>& alive, Deadline deadline) {
    const Nodes::Hold hold(*nodes_);
    return Application(*nodes_, work, instance, alive, deadline).run();
}

void RedisStore::list(const std::function<bool(std::vector<FoundObject>)>& batch,
                      Deadline deadline) {
    list_tenants(*nodes_, config_.scan_rate, batch, deadline);
}

std::optional<Failure> RedisStore::adopt(const FoundObject& object, const Uuid& instance,
                                         Deadline deadline) {
    if (!object.tenant) {
        return Failure{FailureKind::permanent, "NoTenant",
                       "keys whose name is no tenant's cannot be adopted"};
    }
    const Nodes::Hold hold(*nodes_);
    const Call call{&adopt_script(), {marker_key(*object.tenant)}, {print_uuid(instance)}};
    failpoint("redis.adopt.before");
    const auto replies = redis::call(*nodes_, std::span(&call, 1), deadline);
    failpoint("redis.adopt.after");
    if (replies.front().is_error()) {
        return failure_of(replies.front().text);
    }
    return std::nullopt;
}

std::optional<Failure> RedisStore::prune(const FoundObject& object, Deadline deadline) {
    if (object.name.empty() || prefix_in(object.name) != object.name) {
        return Failure{FailureKind::permanent, "NoTenant",
                       "only keys of a tenant's form are pruned"};
    }
    const Nodes::Hold hold(*nodes_);
    failpoint("redis.prune.before");
    auto failure =
        Sweep(*nodes_, {object.name}, escape_glob(object.name) + "*", always, deadline).erase();
    failpoint("redis.prune.after");
    return failure.front();
}

} // namespace
} // namespace redis

std::unique_ptr<Store> make_redis_store(const StoreConfig& config) {
    return std::make_unique<redis::RedisStore>(config);
}

} // namespace tenancy::sidecar
