#include "redis/connection.hpp"

#include <algorithm>

#include "base/failure.hpp"
#include "redis/refusal.hpp"

namespace tenancy::sidecar::redis {
namespace {

// So much is under way at once. Redis reads on while its replies wait, so that sending first and
// reading then does not lock up; the bounds are for the memory that the waiting replies take there.
constexpr std::size_t commands_at_once = 512;
constexpr std::size_t bytes_at_once = std::size_t{1} << 20;
// Of all replies to them together; one alone has the limit of the ReplyReader.
constexpr std::size_t most_received = std::size_t{256} << 20;

} // namespace

Access::Access(const StoreConfig& config)
    : username(config.username), password(config.password), connect_timeout(config.connect_timeout),
      operation_timeout(config.operation_timeout) {
    if (config.tls.enabled) {
        tls.emplace(config.tls);
    }
}

Connection::Connection(const Address& address, const Access& access, Deadline deadline,
                       bool anonymous)
    : address_(address), operation_timeout_(access.operation_timeout),
      socket_(Socket::connect(address, deadline.sooner(Deadline::in(access.connect_timeout)))) {
    const auto limit = deadline.sooner(Deadline::in(access.connect_timeout));
    if (access.tls) {
        tls_ = std::make_unique<TlsSession>(*access.tls, socket_, address.host, limit);
    }
    if (!anonymous) {
        authenticate(access, limit);
    }
    used_ = false;
}

// The text of a refusal can repeat the password ("unknown command AUTH, with args ..."): it is left
// out. A name for the connection is a courtesy to whoever reads CLIENT LIST; it may be denied.
void Connection::authenticate(const Access& access, Deadline deadline) {
    std::vector<Words> commands;
    if (!access.password.empty()) {
        Words auth = {"AUTH"};
        if (!access.username.empty()) {
            auth.push_back(access.username);
        }
        auth.push_back(access.password);
        commands.push_back(std::move(auth));
    }
    commands.push_back({"CLIENT", "SETNAME", "tenancyd"});
    const auto replies = exchange(commands, deadline);
    if (replies.size() == 2 && replies[0].is_error()) {
        const auto code = code_of(replies[0].text);
        if (code != "ERR" && code != "WRONGPASS" && code != "NOPERM") {
            throw_if_unavailable(replies[0]);
        }
        throw Unavailable("AuthenticationFailed",
                          print_address(address_) + " refuses the store's user name or password");
    }
}

std::vector<Reply> Connection::exchange(std::span<const Words> commands, Deadline deadline) {
    std::vector<Reply> replies;
    replies.reserve(commands.size());
    broken_ = true; // until all has been read
    for (std::size_t next = 0; next < commands.size();) {
        std::string bytes;
        const std::size_t first = next;
        while (next < commands.size() && next - first < commands_at_once &&
               bytes.size() < bytes_at_once) {
            encode(commands[next++], bytes);
        }
        const auto limit = deadline.sooner(Deadline::in(operation_timeout_));
        send(bytes, limit);
        receive(next - first, replies, limit);
    }
    broken_ = false;
    used_ = true;
    return replies;
}

Reply Connection::exchange(const Words& command, Deadline deadline) {
    return std::move(exchange(std::span(&command, 1), deadline).front());
}

void Connection::select(std::int64_t database, Deadline deadline) {
    if (database == database_) {
        return;
    }
    // A round trip of its own: what follows must not reach another database when this is refused.
    const Reply reply = exchange(Words{"SELECT", std::to_string(database)}, deadline);
    if (reply.is_error()) {
        throw_if_unavailable(reply);
        throw Unavailable("DatabaseRefused", print_address(address_) + " refuses database " +
                                                 std::to_string(database) + ": " +
                                                 harmless(reply.text));
    }
    database_ = database;
}

void Connection::send(std::string_view bytes, Deadline deadline) {
    while (!bytes.empty()) {
        if (deadline.passed()) {
            throw Unavailable("TimedOut",
                              print_address(address_) + " did not take a command in time");
        }
        if (tls_) {
            bytes.remove_prefix(tls_->write(bytes, deadline));
        } else if (const auto sent = socket_.try_send(bytes)) {
            bytes.remove_prefix(*sent);
        } else {
            socket_.wait_to_send(deadline);
        }
    }
}

void Connection::receive(std::size_t count, std::vector<Reply>& replies, Deadline deadline) {
    std::array<char, 65536> space; // NOLINT(cppcoreguidelines-pro-type-member-init)
    std::size_t received = 0;
    while (count > 0) {
        if (auto reply = reader_.next()) {
            replies.push_back(std::move(*reply));
            count--;
            continue;
        }
        if (deadline.passed()) {
            throw Unavailable("TimedOut", print_address(address_) + " did not answer in time");
        }
        const std::size_t size = read_some(space, deadline);
        if (size == 0) {
            throw Unavailable("ConnectionLost", print_address(address_) + " closed the connection");
        }
        received += size;
        if (received > most_received) {
            throw Unavailable("ReplyTooLarge", print_address(address_) + " answers without end");
        }
        reader_.feed(std::span(space.data(), size));
    }
}

std::size_t Connection::read_some(std::span<char> space, Deadline deadline) {
    if (tls_) {
        return tls_->read(space, deadline);
    }
    while (true) {
        if (const auto size = socket_.try_receive(space)) {
            return *size;
        }
        socket_.wait_to_receive(deadline);
    }
}

} // namespace tenancy::sidecar::redis
