// One connection of the HTTP server. The library limits the silence between two bytes and the size
// of a body; here the whole exchange has its time, and the request its size, headers included.
#pragma once

#include <string>

#include <httplib.h>

#include "base/deadline.hpp"

namespace tenancy::sidecar {

class BoundedConnection : public httplib::Stream {
public:
    // Owns `socket`. Reading ends after `most` bytes, reading and writing by `deadline`: from then
    // on they fail.
    BoundedConnection(int socket, std::size_t most, Deadline deadline)
        : socket_(socket), left_(most), deadline_(deadline) {}
    ~BoundedConnection() override;
    BoundedConnection(const BoundedConnection&) = delete;
    BoundedConnection& operator=(const BoundedConnection&) = delete;

    // Each waits for it.
    [[nodiscard]] bool is_readable() const override;
    [[nodiscard]] bool is_writable() const override;
    // How many bytes; 0 at the end, -1 on failure.
    ssize_t read(char* space, std::size_t size) override;
    ssize_t write(const char* bytes, std::size_t size) override;
    [[nodiscard]] int socket() const override { return socket_; }
    // Nobody is told apart by his address.
    void get_remote_ip_and_port(std::string&, int&) const override {}
    void get_local_ip_and_port(std::string&, int&) const override {}

private:
    [[nodiscard]] bool wait(short events) const;

    int socket_;
    std::size_t left_;
    Deadline deadline_;
};

} // namespace tenancy::sidecar
