// Where a server listens: host and port, as the configuration and the servers themselves write it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tenancy::sidecar::redis {

struct Address {
    std::string host; // a name or a numeric address, IPv6 without brackets
    std::uint16_t port = 6379;

    friend auto operator<=>(const Address&, const Address&) = default;
};

// "host:port", "host", "[::1]:6379", "[::1]"; the port is 6379 where none is given. Nothing for
// anything else.
[[nodiscard]] std::optional<Address> parse_address(std::string_view text);

// "host:port", IPv6 in brackets.
[[nodiscard]] std::string print_address(const Address& address);

} // namespace tenancy::sidecar::redis
