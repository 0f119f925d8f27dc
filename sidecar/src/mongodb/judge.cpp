// Which of a server's abilities the templates of a store need.
#include <set>

#include <nlohmann/json.hpp>

#include "mongodb/probe.hpp"

namespace tenancy::sidecar::mongodb {
namespace {

void add_needs_of(const IndexTemplate& index, std::set<std::string>& needs) {
    if (index.unique) {
        needs.insert("unique_index");
    }
    if (index.ttl_seconds) {
        needs.insert({"ttl_index", "change_ttl"});
    }
    if (index.partial) {
        needs.insert("partial_index");
    }
    if (index.sparse) {
        needs.insert("sparse_index");
    }
    if (index.collation) {
        needs.insert("collation_index");
    }
}

std::set<std::string> needs_of(const Templates& templates) {
    std::set<std::string> needs{"publish", "list_databases", "drop_database"};
    for (const auto& [name, collection] : templates) {
        if (collection.validator) {
            needs.insert({"validator", "change_validator"});
        }
        for (const auto& [index_name, index] : collection.indexes) {
            add_needs_of(index, needs);
        }
    }
    return needs;
}

} // namespace

Capabilities judge(const Trial& trial, const Templates& templates) {
    Capabilities capabilities;
    capabilities.product = trial.product;
    capabilities.version = trial.version;
    const auto needs = needs_of(templates);
    for (const auto& [capability, obstacle] : trial.results) {
        capabilities.details.set(capability, obstacle.empty());
        if (!obstacle.empty()) {
            auto& list = needs.contains(capability) ? capabilities.missing : capabilities.warnings;
            list.push_back(capability);
            list.back().append(": ").append(obstacle);
        }
    }
    if (!trial.replicated) {
        capabilities.warnings.emplace_back(
            "the server is no replica set: what it loses with its disk is lost");
    }
    return capabilities;
}

} // namespace tenancy::sidecar::mongodb
