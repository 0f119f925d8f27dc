#include "redis/address.hpp"

#include <charconv>

#include "base/resolve.hpp"

namespace tenancy::sidecar::redis {
namespace {

std::optional<std::uint16_t> parse_port(std::string_view text) {
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (error != std::errc() || end != text.data() + text.size() || port == 0) {
        return std::nullopt;
    }
    return port;
}

// What follows the host: nothing, or a colon and a port.
std::optional<Address> with_port(std::string_view host, std::string_view rest) {
    Address address{std::string(host)};
    if (!rest.empty()) {
        const auto port = rest.front() == ':' ? parse_port(rest.substr(1)) : std::nullopt;
        if (!port) {
            return std::nullopt;
        }
        address.port = *port;
    }
    return address;
}

} // namespace

std::optional<Address> parse_address(std::string_view text) {
    if (!text.empty() && text.front() == '[') {
        const auto end = text.find(']');
        if (end == std::string_view::npos) {
            return std::nullopt;
        }
        auto address = with_port(text.substr(1, end - 1), text.substr(end + 1));
        return address && is_numeric(address->host) ? address : std::nullopt;
    }
    const auto colon = text.find(':');
    const auto host = text.substr(0, colon);
    if (host.empty() || host.find_first_of(" \t\r\n/@") != std::string_view::npos) {
        return std::nullopt;
    }
    return with_port(host, colon == std::string_view::npos ? "" : text.substr(colon));
}

std::string print_address(const Address& address) {
    const bool brackets = address.host.find(':') != std::string::npos;
    const std::string host = brackets ? "[" + address.host + "]" : address.host;
    return host + ":" + std::to_string(address.port);
}

} // namespace tenancy::sidecar::redis
