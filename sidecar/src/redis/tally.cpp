#include "redis/tally.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <unordered_map>

#include <nlohmann/json.hpp>

#include "redis/keys.hpp"
#include "redis/refusal.hpp"
#include "redis/scan.hpp"

namespace tenancy::sidecar::redis {
namespace {

constexpr std::size_t batch_size = 500;
// Of keys that have the form of a tenant's and no tenant's id: whoever may write to the server can
// make as many as he likes.
constexpr std::size_t most_nameless = 10000;
constexpr Milliseconds ask_after{500};

struct Count {
    std::uint64_t keys = 0; // about: SCAN may show a key twice
    std::set<std::int64_t> databases;
};

struct Tally {
    std::unordered_map<std::string, Count> counts; // by prefix
    std::size_t nameless = 0;                      // of them
};

bool takes(Tally& tally, const std::string& prefix) {
    if (tally.counts.contains(prefix) || tenant_of(prefix)) {
        return true;
    }
    if (tally.nameless == most_nameless) {
        return false;
    }
    ++tally.nameless;
    return true;
}

void add(Tally& tally, const Place& place, const std::vector<Reply>& keys) {
    for (const Reply& key : keys) {
        const std::string prefix(prefix_in(key.text));
        if (!prefix.empty() && takes(tally, prefix)) {
            Count& count = tally.counts[prefix];
            count.keys++;
            count.databases.insert(place.database);
        }
    }
}

FoundObject object_of(const std::string& prefix, const Count& count) {
    FoundObject object;
    object.name = prefix;
    object.tenant = tenant_of(prefix);
    object.detail = Json{{"keys", count.keys}, {"databases", count.databases}};
    return object;
}

void add_instances(Nodes& nodes, std::vector<FoundObject>& objects, Deadline deadline) {
    std::vector<Command> commands;
    std::vector<FoundObject*> asked;
    for (FoundObject& object : objects) {
        if (object.tenant) {
            const std::string key = marker_key(*object.tenant);
            commands.push_back({key, {"HGET", key, "instance"}});
            asked.push_back(&object);
        }
    }
    const auto replies = nodes.run(commands, deadline);
    for (std::size_t i = 0; i < asked.size(); i++) {
        asked[i]->instance =
            replies[i].type == Reply::Type::text ? parse_uuid(replies[i].text) : std::nullopt;
    }
}

} // namespace

void list_tenants(Nodes& nodes, unsigned rate,
                  const std::function<bool(std::vector<FoundObject>)>& batch, Deadline deadline) {
    Tally tally;
    auto ask_at = Deadline::in(ask_after);
    const auto visit = [&](const Place& place, const std::vector<Reply>& keys) {
        add(tally, place, keys);
        if (!ask_at.passed()) {
            return true;
        }
        ask_at = Deadline::in(ask_after);
        return batch({});
    };
    const Pace pace{rate, [&] { return batch({}); }};
    const auto primaries = nodes.layout(deadline).primaries;
    if (!walk(nodes, primaries, std::string(any_tenant), pace, visit, deadline)) {
        return;
    }
    std::vector<FoundObject> objects;
    const auto& counts = tally.counts;
    for (auto next = counts.begin(); next != counts.end();) {
        objects.push_back(object_of(next->first, next->second));
        ++next;
        if (objects.size() == batch_size || next == counts.end()) {
            add_instances(nodes, objects, deadline);
            if (!batch(std::exchange(objects, {}))) {
                return;
            }
        }
    }
}

} // namespace tenancy::sidecar::redis
