// Connection strings, as far as they may stand in a configuration file or on a command line.
#pragma once

#include <string>

namespace tenancy::sidecar {

// Why the text cannot be used as libpq's conninfo (key=value or URI), or empty. A password in it is
// a reason, and so is `options`, which would take the place of what tenancyd sets itself.
[[nodiscard]] std::string objection_to_conninfo(const std::string& conninfo);

// Where the conninfo leads to, for somebody else's login: "host=db1 dbname=shop ", without user.
// Empty when it is not a conninfo.
[[nodiscard]] std::string place_of_conninfo(const std::string& conninfo);

// As objection_to_conninfo for the URI of a MongoDB server: anything secret in it, another scheme,
// or another way to authenticate than SCRAM.
[[nodiscard]] std::string objection_to_mongodb_uri(const std::string& uri);

// Why it is not host:port with a port from 1 to 65535 (IPv6 in brackets), or empty.
[[nodiscard]] std::string objection_to_address(const std::string& address);

} // namespace tenancy::sidecar
