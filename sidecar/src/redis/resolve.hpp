// Names of hosts to socket addresses, within a time limit, which getaddrinfo() itself has not.
#pragma once

#include <vector>

#include <netinet/in.h>
#include <sys/socket.h>

#include "base/deadline.hpp"
#include "redis/address.hpp"

namespace tenancy::sidecar::redis {

struct SocketAddress {
    sockaddr_storage storage{};
    socklen_t size = 0;
};

// At least one, in the order to try them. Throws Unavailable (NameNotResolved, Timeout).
[[nodiscard]] std::vector<SocketAddress> resolve(const Address& address, Deadline deadline);

} // namespace tenancy::sidecar::redis
