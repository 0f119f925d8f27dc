// What to do about what a command has found, as exactly as it can be said: where there is a command
// to type, that command.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config/config.hpp"
#include "postgres/connection.hpp"
#include "reconcile/adopt.hpp"

namespace tenancy::sidecar {

// "tenancyd adopt --as member --store cache", with the configuration where it is not the usual one,
// and for a replacement or a clone with the login of an admin, whose name is left to fill in.
[[nodiscard]] std::string adopt_line(const Config& config, AdoptAs role,
                                     const std::string& store = "");

// For a reason why a daemon writes nothing at all (judge_identity(), StoresStamped, StampMismatch).
[[nodiscard]] std::string step_for_instance(const Config& config, std::string_view reason);

// For a database that belongs to no instance, where this store belongs to one.
[[nodiscard]] std::string step_for_stamped(const Config& config, const std::string& store);

// For a store that is refused (judge_stamp()); `found` is its stamp, `ours` the instance.
[[nodiscard]] std::string step_for_stamp(const Config& config, const std::string& store,
                                         const std::optional<Stamp>& found, const Uuid& ours);

// For a store that the whole of fails, for this reason.
[[nodiscard]] std::string step_for_store(const Config& config, const StoreConfig& store,
                                         std::string_view reason);

// For an error of PostgreSQL: its own hint, where it has one. `kind` is that of the operator whom
// the command needs.
[[nodiscard]] std::string step_for_sql(const SqlError& error, const std::string& kind);

// For PostgreSQL that cannot be reached by this login: "[postgres] conninfo", "--conninfo".
[[nodiscard]] std::string step_for_login(const Unavailable& error, const std::string& login);

} // namespace tenancy::sidecar
