// Names of hosts to socket addresses, within a time limit, which getaddrinfo() itself has not.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <netinet/in.h>
#include <sys/socket.h>

#include "base/deadline.hpp"

namespace tenancy::sidecar {

struct SocketAddress {
    sockaddr_storage storage{};
    socklen_t size = 0;
};

// Whether `host` is a numeric IPv4 or IPv6 address.
[[nodiscard]] bool is_numeric(const std::string& host);

// At least one, in the order to try them. `host` is a name or a numeric address, IPv6 without
// brackets. Throws Unavailable (NameNotResolved, TimedOut).
[[nodiscard]] std::vector<SocketAddress> resolve(const std::string& host, std::uint16_t port,
                                                 Deadline deadline);

} // namespace tenancy::sidecar
