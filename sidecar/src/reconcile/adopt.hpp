// The operator's decision that tenancyd may write again: after a restore, on a clone, on a new
// host.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "reconcile/reconciler.hpp"

namespace tenancy::sidecar {

enum class AdoptAs : std::uint8_t {
    member,      // this host joins the instance that the database is; the database stays as it is
    replacement, // this database takes the place of the one that the stores know; epoch + 1
    clone        // this database becomes an instance of its own and lets go of every store
};

struct StampedStore {
    std::string store;
    bool stamped = false;
    std::string message; // why not
};

struct Adoption {
    Uuid instance;
    std::int64_t epoch = 0;
    std::vector<StampedStore> stores;
};

// "member", "replacement", "clone"; nothing for any other word.
[[nodiscard]] std::optional<AdoptAs> adopt_as(std::string_view word);

// Binds in the database, writes the state file, stamps the attached stores, or only the one that is
// named. Doing it again after it was interrupted completes it. Throws Unavailable, SqlError,
// ConfigError (no such store, state directory not writable) and AdoptError when the role does not
// fit: member while the database does not match what it was bound to, clone while it is bound to
// nothing.
[[nodiscard]] Adoption adopt(const Config& config, AdoptAs role,
                             const std::optional<std::string>& store);
[[nodiscard]] Adoption adopt(const Config& config, AdoptAs role,
                             const std::optional<std::string>& store,
                             const SessionFactories& factories);

class AdoptError : public std::runtime_error {
public:
    explicit AdoptError(const std::string& message, std::string hint = "")
        : std::runtime_error(message), hint_(std::move(hint)) {}

    [[nodiscard]] const std::string& hint() const { return hint_; }

private:
    std::string hint_;
};

} // namespace tenancy::sidecar
