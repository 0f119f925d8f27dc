#include "service/bounded_connection.hpp"

#include <algorithm>
#include <cerrno>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace tenancy::sidecar {

BoundedConnection::~BoundedConnection() {
    shutdown(socket_, SHUT_RDWR);
    close(socket_);
}

bool BoundedConnection::wait(short events) const {
    pollfd polled{socket_, events, 0};
    int ready = 0;
    do {
        ready = poll(&polled, 1, static_cast<int>(deadline_.left().count()));
    } while (ready < 0 && errno == EINTR);
    return ready > 0;
}

bool BoundedConnection::is_readable() const {
    return left_ > 0 && !deadline_.passed() && wait(POLLIN);
}

bool BoundedConnection::is_writable() const {
    return !deadline_.passed() && wait(POLLOUT);
}

ssize_t BoundedConnection::read(char* space, std::size_t size) {
    if (!is_readable()) {
        return -1;
    }
    const auto got = recv(socket_, space, std::min(size, left_), MSG_DONTWAIT);
    left_ -= got > 0 ? static_cast<std::size_t>(got) : 0;
    return got;
}

ssize_t BoundedConnection::write(const char* bytes, std::size_t size) {
    return is_writable() ? send(socket_, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL) : -1;
}

} // namespace tenancy::sidecar
