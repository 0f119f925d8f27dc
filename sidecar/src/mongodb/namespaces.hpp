// How many namespaces a store holds, for the limit max_namespaces. Each collection and each index
// is a file of the server, of which it takes only so many. Estimated: each tenant's database counts
// for 1 (the marker's collection), 1 for each collection of the templates, and 1 for each of their
// indexes; what applications make besides is not counted.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_set>

#include "base/failure.hpp"
#include "mongodb/session.hpp"
#include "store/model.hpp"

namespace tenancy::sidecar::mongodb {

// What one tenant with these templates counts for.
[[nodiscard]] std::int64_t namespaces_per_tenant(const Templates& templates);

// The tenants' databases of one store, shared by all sessions of the process with it: read anew at
// most once a minute, and kept up with what the process itself makes and removes. Other processes'
// tenants are seen only then, so that several can exceed the limit by what they make in a minute.
class NamespaceCount {
public:
    // The one for this store's name and URI.
    [[nodiscard]] static std::shared_ptr<NamespaceCount> of(const StoreConfig& config);

    // Why a tenant whose database is `database` cannot be there: it is new and would be one too
    // many. Counts it otherwise.
    [[nodiscard]] std::optional<Failure> admit(Session& session, const std::string& database,
                                               std::int64_t per_tenant, std::int64_t most,
                                               Deadline deadline);
    void removed(const std::string& database);

private:
    void refresh(Session& session, Deadline deadline);

    std::mutex mutex_;
    std::unordered_set<std::string> databases_;
    std::optional<Deadline> fresh_until_;
};

} // namespace tenancy::sidecar::mongodb
