// What the server's and the driver's errors mean: for the whole store, or for one step.
#pragma once

#include <optional>
#include <stdexcept>
#include <string>

#include <mongoc/mongoc.h>

#include "base/failure.hpp"

namespace tenancy::sidecar::mongodb {

// Codes of the server that a step has to know.
namespace code {
constexpr int bad_value = 2;
constexpr int unauthorized = 13;
constexpr int namespace_not_found = 26;
constexpr int index_not_found = 27;
constexpr int namespace_exists = 48;
constexpr int command_not_found = 59;
constexpr int invalid_options = 72;
constexpr int index_options_conflict = 85;
constexpr int index_key_conflict = 86;
constexpr int command_not_supported = 115;
constexpr int validation_failed = 121;
constexpr int shard_timed_out = 202; // NetworkInterfaceExceededTimeLimit, of a router
constexpr int not_implemented = 238;
constexpr int exceeded_limit = 262; // ExceededTimeLimit
constexpr int too_large = 10334;
constexpr int no_shard_member = 133; // FailedToSatisfyReadPreference, of a router
constexpr int duplicate_key = 11000;
} // namespace code

// The server refuses one command, for a reason that concerns this command only.
class CommandError : public std::runtime_error {
public:
    CommandError(int code, const std::string& message) : std::runtime_error(message), code_(code) {}

    [[nodiscard]] int code() const { return code_; }

private:
    int code_;
};

// The reason for Unavailable when an error of this code concerns the whole store: no primary,
// shutting down, full, credentials or privileges refused, no majority. Nothing for all others.
[[nodiscard]] std::optional<std::string> store_wide_reason(int code);

// Whether the code says that the server has no such command or option.
[[nodiscard]] bool is_missing_capability(int code);

// What a refused step is to its tenant: transient for what passes by itself (locks, conflicts,
// limits of time), permanent for what somebody has to change.
[[nodiscard]] Failure failure_of(const CommandError& error);

// Throws Unavailable or CommandError for an error that the driver returned. `timed_out`: the time
// limit of the command was over.
[[noreturn]] void throw_error(const bson_error_t& error, bool timed_out);
// Throws as throw_error for an error code within a reply. Where the server's text quotes documents,
// that part of it is left out.
[[noreturn]] void throw_server_error(int code, const std::string& said);

} // namespace tenancy::sidecar::mongodb
