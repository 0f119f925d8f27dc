#include "mongodb/dial.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include <netinet/tcp.h>
#include <sys/un.h>

#include "base/resolve.hpp"
#include "mongodb/bounded_stream.hpp"

namespace tenancy::sidecar::mongodb {
namespace {

struct DestroySocket {
    void operator()(mongoc_socket_t* socket) const { mongoc_socket_destroy(socket); }
};
using Socket = std::unique_ptr<mongoc_socket_t, DestroySocket>;

void set_error(bson_error_t* error, std::uint32_t code, const std::string& message) {
    bson_set_error(error, MONGOC_ERROR_STREAM, code, "%s", message.c_str());
}

std::string reason_of(int number) {
    return number == 0 ? "timed out" : std::generic_category().message(number);
}

// Null with `number` set to why.
Socket connect_to(int family, const sockaddr* address, socklen_t size, Deadline by, int& number) {
    Socket socket(mongoc_socket_new(family, SOCK_STREAM, 0));
    if (!socket) {
        number = errno;
        return nullptr;
    }
    const auto microseconds = std::chrono::microseconds(by.left()).count();
    if (mongoc_socket_connect(socket.get(), address, size,
                              bson_get_monotonic_time() + microseconds) != 0) {
        number = mongoc_socket_errno(socket.get());
        return nullptr;
    }
    return socket;
}

Socket connect_local(const mongoc_host_list_t& host, Deadline by, int& number) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const auto size = std::min(std::strlen(host.host), sizeof address.sun_path - 1);
    std::memcpy(address.sun_path, host.host, size);
    return connect_to(AF_UNIX, reinterpret_cast<sockaddr*>(&address), sizeof address, by, number);
}

void tune(mongoc_socket_t* socket) {
    int on = 1;
    mongoc_socket_setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    mongoc_socket_setsockopt(socket, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
}

// Empty with `error` set: the driver calls this from C, which no exception may pass through.
std::vector<SocketAddress> addresses_of(const mongoc_host_list_t& host, Deadline by,
                                        bson_error_t* error) {
    try {
        return resolve(host.host, host.port, by);
    } catch (const std::exception& problem) {
        set_error(error, MONGOC_ERROR_STREAM_NAME_RESOLUTION, problem.what());
        return {};
    }
}

// Tries each address of the name in turn.
Socket connect_tcp(const mongoc_host_list_t& host, Deadline by, bson_error_t* error) {
    const auto candidates = addresses_of(host, by, error);
    int number = 0;
    for (std::size_t i = 0; i < candidates.size(); ++i) {
        const auto& [address, size] = candidates[i];
        // One that never answers leaves the others their share of the time.
        const auto share = Deadline::in(by.left() / static_cast<int>(candidates.size() - i));
        if (auto socket = connect_to(address.ss_family, reinterpret_cast<const sockaddr*>(&address),
                                     size, share, number)) {
            tune(socket.get());
            return socket;
        }
    }
    if (candidates.empty()) {
        return nullptr;
    }
    set_error(error, MONGOC_ERROR_STREAM_CONNECT,
              "cannot connect to " + std::string(host.host_and_port) + ": " + reason_of(number));
    return nullptr;
}

Socket connect_socket(const mongoc_host_list_t& host, Deadline by, bson_error_t* error) {
    if (host.family != AF_UNIX) {
        return connect_tcp(host, by, error);
    }
    int number = 0;
    auto socket = connect_local(host, by, number);
    if (!socket) {
        set_error(error, MONGOC_ERROR_STREAM_CONNECT,
                  "cannot connect to " + std::string(host.host) + ": " + reason_of(number));
    }
    return socket;
}

// Puts TLS on top; owns `plain` from here on.
mongoc_stream_t* add_tls(mongoc_stream_t* plain, const TlsOptions& tls, const char* host,
                         Deadline by, bson_error_t* error) {
    auto options = tls.driver_options();
    const char* name = tls.server_name(host);
    mongoc_stream_t* secured = mongoc_stream_tls_new_with_hostname(plain, name, &options, 1);
    if (secured == nullptr) {
        set_error(error, MONGOC_ERROR_STREAM_SOCKET,
                  "TLS cannot be set up; check ca_file, cert_file and key_file");
        mongoc_stream_destroy(plain);
        return nullptr;
    }
    if (!mongoc_stream_tls_handshake_block(secured, name, static_cast<int>(by.left().count()),
                                           error)) {
        mongoc_stream_destroy(secured);
        return nullptr;
    }
    return secured;
}

} // namespace

mongoc_stream_t* dial(const mongoc_host_list_t& host, const TlsOptions& tls, Deadline connect_by,
                      const Deadline* limit, bson_error_t* error) {
    auto socket = connect_socket(host, connect_by, error);
    if (!socket) {
        return nullptr;
    }
    mongoc_stream_t* stream = mongoc_stream_socket_new(socket.release());
    if (tls.enabled()) {
        stream = add_tls(stream, tls, host.host, connect_by, error);
    }
    return stream == nullptr ? nullptr : make_bounded(stream, limit);
}

} // namespace tenancy::sidecar::mongodb
