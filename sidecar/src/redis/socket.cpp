#include "redis/socket.hpp"

#include <cerrno>
#include <system_error>
#include <utility>
#include <vector>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/failure.hpp"
#include "base/resolve.hpp"

namespace tenancy::sidecar::redis {
namespace {

std::string text_of(int error) {
    return std::generic_category().message(error);
}

// False when the deadline has passed first.
bool ready(int fd, short events, Deadline deadline) {
    pollfd waiting{fd, events, 0};
    while (true) {
        const auto left = static_cast<int>(std::min<std::int64_t>(deadline.left().count(), 60000));
        const int found = poll(&waiting, 1, left);
        if (found > 0) {
            return true;
        }
        if (found < 0 && errno != EINTR) {
            throw Unavailable("ConnectionLost", "poll failed: " + text_of(errno));
        }
        if (found == 0 && deadline.passed()) {
            return false;
        }
    }
}

int open_socket(const SocketAddress& address) {
    const int fd = socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        throw Unavailable("ConnectionFailed", "no socket: " + text_of(errno));
    }
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    return fd;
}

// 0, or the error of the attempt.
int finish_connect(int fd, const SocketAddress& address, Deadline deadline) {
    if (connect(fd, reinterpret_cast<const sockaddr*>(&address.storage), address.size) == 0) {
        return 0;
    }
    if (errno != EINPROGRESS && errno != EINTR) {
        return errno;
    }
    if (!ready(fd, POLLOUT, deadline)) {
        return ETIMEDOUT;
    }
    int error = 0;
    socklen_t size = sizeof(error);
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

bool would_wait(int error) {
    return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

} // namespace

Socket Socket::connect(const Address& address, Deadline deadline) {
    const auto candidates = resolve(address.host, address.port, deadline);
    const std::string peer = print_address(address);
    int error = 0;
    for (std::size_t i = 0; i < candidates.size(); i++) {
        // One that never answers leaves the others their share of the time.
        const auto share = deadline.left() / static_cast<int>(candidates.size() - i);
        Socket made(open_socket(candidates[i]), peer);
        error = finish_connect(made.fd_, candidates[i], deadline.sooner(Deadline::in(share)));
        if (error == 0) {
            return made;
        }
    }
    throw Unavailable(error == ETIMEDOUT ? "TimedOut" : "ConnectionFailed",
                      "cannot connect to " + peer + ": " + text_of(error));
}

Socket::Socket(Socket&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), peer_(std::move(other.peer_)) {}

Socket& Socket::operator=(Socket&& other) noexcept {
    std::swap(fd_, other.fd_);
    std::swap(peer_, other.peer_);
    return *this;
}

Socket::~Socket() {
    if (fd_ >= 0) {
        close(fd_);
    }
}

std::optional<std::size_t> Socket::try_send(std::string_view bytes) const {
    const auto sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
        return static_cast<std::size_t>(sent);
    }
    if (would_wait(errno)) {
        return std::nullopt;
    }
    throw Unavailable("ConnectionLost",
                      "the connection to " + peer_ + " was lost: " + text_of(errno));
}

std::optional<std::size_t> Socket::try_receive(std::span<char> space) const {
    const auto received = recv(fd_, space.data(), space.size(), 0);
    if (received >= 0) {
        return static_cast<std::size_t>(received);
    }
    if (would_wait(errno)) {
        return std::nullopt;
    }
    throw Unavailable("ConnectionLost",
                      "the connection to " + peer_ + " was lost: " + text_of(errno));
}

void Socket::wait(short events, Deadline deadline) const {
    if (!ready(fd_, events, deadline)) {
        throw Unavailable("TimedOut", peer_ + " did not answer in time");
    }
}

void Socket::wait_to_send(Deadline deadline) const {
    wait(POLLOUT, deadline);
}

void Socket::wait_to_receive(Deadline deadline) const {
    wait(POLLIN, deadline);
}

} // namespace tenancy::sidecar::redis
