#include "mongodb/namespaces.hpp"

#include <map>

#include "mongodb/catalogue.hpp"
#include "mongodb/places.hpp"

namespace tenancy::sidecar::mongodb {
namespace {

constexpr Milliseconds refresh_interval{60000};

} // namespace

std::int64_t namespaces_per_tenant(const Templates& templates) {
    std::int64_t count = 1;
    for (const auto& [name, collection] : templates) {
        count += 1 + static_cast<std::int64_t>(collection.indexes.size());
    }
    return count;
}

std::shared_ptr<NamespaceCount> NamespaceCount::of(const StoreConfig& config) {
    static std::mutex mutex;
    static std::map<std::string, std::weak_ptr<NamespaceCount>> counts;
    const std::lock_guard lock(mutex);
    auto& known = counts[config.name + " " + config.uri];
    auto count = known.lock();
    if (!count) {
        count = std::make_shared<NamespaceCount>();
        known = count;
    }
    return count;
}

// Under the mutex: whoever comes meanwhile needs the answer, too.
void NamespaceCount::refresh(Session& session, Deadline deadline) {
    if (fresh_until_ && !fresh_until_->passed()) {
        return;
    }
    std::unordered_set<std::string> databases;
    for (auto& name : databases_beginning(session, "t_", deadline)) {
        if (tenant_of(name)) {
            databases.insert(std::move(name));
        }
    }
    databases_ = std::move(databases);
    fresh_until_ = Deadline::in(refresh_interval);
}

std::optional<Failure> NamespaceCount::admit(Session& session, const std::string& database,
                                             std::int64_t per_tenant, std::int64_t most,
                                             Deadline deadline) {
    const std::lock_guard lock(mutex_);
    refresh(session, deadline);
    if (databases_.contains(database)) {
        return std::nullopt;
    }
    const auto tenants = static_cast<std::int64_t>(databases_.size());
    if ((tenants + 1) * per_tenant > most) {
        return Failure{
            FailureKind::permanent, "NamespaceLimit",
            "the store's " + std::to_string(tenants) + " tenants have about " +
                std::to_string(tenants * per_tenant) +
                " namespaces, and one more would exceed max_namespaces = " + std::to_string(most) +
                "; raise it, or erase tenants, then call tenancy.retry_store"};
    }
    databases_.insert(database);
    return std::nullopt;
}

void NamespaceCount::removed(const std::string& database) {
    const std::lock_guard lock(mutex_);
    databases_.erase(database);
}

} // namespace tenancy::sidecar::mongodb
