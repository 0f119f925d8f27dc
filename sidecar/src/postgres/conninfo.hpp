// What libpq is asked to connect to: a conninfo taken apart into one attempt for each host, so that
// a host that accepts and then says nothing cannot keep the next one from being tried. (libpq goes
// on to the next host by itself only when it may block.)
#pragma once

#include <map>
#include <string>
#include <vector>

#include "config/config.hpp"

namespace tenancy::sidecar {

// Which of several servers will do.
enum class ServerRole : std::uint8_t {
    primary, // target_session_attrs=read-write, unless the conninfo says something else
    any
};

using Keywords = std::map<std::string, std::string>; // libpq's connection parameters

// The attempts, in the order of the conninfo's hosts; at least one. What the conninfo leaves open
// is filled in: keepalives, a limit for unacknowledged data, application_name, encoding, password.
// Throws ConfigError when it is not a conninfo.
[[nodiscard]] std::vector<Keywords> connection_attempts(const std::string& conninfo,
                                                        const PostgresConfig& config,
                                                        const std::string& application_name,
                                                        ServerRole role);

} // namespace tenancy::sidecar
