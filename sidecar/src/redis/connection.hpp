// A connection to one Redis server: authenticated, named, in the database that the commands mean.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/deadline.hpp"
#include "config/config.hpp"
#include "redis/address.hpp"
#include "redis/codec.hpp"
#include "redis/socket.hpp"
#include "redis/tls.hpp"

namespace tenancy::sidecar::redis {

// How every connection of a store is made. Made once: reads the certificates.
struct Access {
    explicit Access(const StoreConfig& config);

    std::string username, password;
    std::optional<TlsContext> tls;
    Milliseconds connect_timeout, operation_timeout;
};

class Connection {
public:
    // Throws Unavailable (also AuthenticationFailed). Without credentials where `access` has none
    // or `anonymous` is asked for.
    Connection(const Address& address, const Access& access, Deadline deadline,
               bool anonymous = false);
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    // Sends all commands, then reads all replies, errors among them, in order. No single round trip
    // takes longer than the operation timeout. Throws Unavailable, after which the connection is of
    // no use any more.
    [[nodiscard]] std::vector<Reply> exchange(std::span<const Words> commands, Deadline deadline);
    [[nodiscard]] Reply exchange(const Words& command, Deadline deadline);

    // Makes all that follows mean this database.
    void select(std::int64_t database, Deadline deadline);

    [[nodiscard]] const Address& address() const { return address_; }
    // Whether anything was exchanged since it was made: one that fails at first is no stale one.
    [[nodiscard]] bool used() const { return used_; }
    [[nodiscard]] bool broken() const { return broken_; }

private:
    void authenticate(const Access& access, Deadline deadline);
    void send(std::string_view bytes, Deadline deadline);
    void receive(std::size_t count, std::vector<Reply>& replies, Deadline deadline);
    std::size_t read_some(std::span<char> space, Deadline deadline);

    Address address_;
    Milliseconds operation_timeout_;
    Socket socket_;
    std::unique_ptr<TlsSession> tls_;
    ReplyReader reader_;
    std::int64_t database_ = 0;
    bool used_ = false;
    bool broken_ = false;
};

} // namespace tenancy::sidecar::redis
