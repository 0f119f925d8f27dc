// A TCP connection of which every operation ends by a deadline. Never raises SIGPIPE.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/deadline.hpp"
#include "redis/address.hpp"

namespace tenancy::sidecar::redis {

class Socket {
public:
    // Tries each address of the host in turn. Throws Unavailable (NameNotResolved,
    // ConnectionFailed, TimedOut).
    [[nodiscard]] static Socket connect(const Address& address, Deadline deadline);

    Socket(Socket&& other) noexcept;
    Socket& operator=(Socket&& other) noexcept;
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;
    ~Socket();

    // What can be sent or received without waiting: the number of bytes, 0 at the end of the
    // stream, nothing when it would have to wait. Throws Unavailable (ConnectionLost).
    [[nodiscard]] std::optional<std::size_t> try_send(std::string_view bytes) const;
    [[nodiscard]] std::optional<std::size_t> try_receive(std::span<char> space) const;

    // Wait until the other side has taken or given something. Throw Unavailable (TimedOut).
    void wait_to_send(Deadline deadline) const;
    void wait_to_receive(Deadline deadline) const;

    [[nodiscard]] const std::string& peer() const { return peer_; } // for messages

private:
    Socket(int fd, std::string peer) : fd_(fd), peer_(std::move(peer)) {}
    void wait(short events, Deadline deadline) const;

    int fd_ = -1;
    std::string peer_;
};

} // namespace tenancy::sidecar::redis
