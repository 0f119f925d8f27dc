// One server, or a primary with replicas and nobody who says which is which: each is asked.
#include <algorithm>
#include <utility>

#include "base/failure.hpp"
#include "redis/nodes.hpp"
#include "redis/refusal.hpp"

namespace tenancy::sidecar::redis {
namespace {

class Standalone : public Nodes {
public:
    Standalone(std::vector<Address> addresses, const Access& access, std::int64_t database)
        : addresses_(std::move(addresses)), access_(access), database_(database) {}

    std::vector<Reply> run(std::span<const Command> commands, Deadline deadline) override;
    std::vector<Reply> run_at(const Address& node, std::int64_t database,
                              std::span<const Words> commands, Deadline deadline) override;
    std::vector<Reply> run_routed(const Address& node, std::int64_t database,
                                  std::span<const Command> commands, Deadline deadline) override;
    Layout layout(Deadline deadline) override;
    void look_again() override { primary_.reset(); }

private:
    std::vector<Reply> run_in(std::int64_t database, std::span<const Words> commands,
                              Deadline deadline);
    std::vector<Reply> try_in(std::int64_t database, std::span<const Words> commands,
                              Deadline deadline);
    Connection& primary(Deadline deadline);
    void find_primary(Deadline deadline);
    [[noreturn]] void throw_no_primary(const std::optional<Unavailable>& last) const;
    void check(const Reply& reply);

    std::vector<Address> addresses_;
    const Access& access_;
    std::int64_t database_;
    std::unique_ptr<Connection> primary_;
};

Connection& Standalone::primary(Deadline deadline) {
    if (primary_ && primary_->broken()) {
        primary_.reset();
    }
    if (!primary_) {
        if (held()) {
            throw Unavailable("ConnectionLost", "the connection was lost; nothing is written until "
                                                "the server's stamp is verified again");
        }
        find_primary(deadline);
    }
    return *primary_;
}

bool is_primary(Connection& connection, Deadline deadline) {
    const Reply reply = connection.exchange(Words{"INFO", "replication"}, deadline);
    return text_of("INFO", reply).find("role:master") != std::string::npos;
}

// All are asked even when one has said that it is the primary: after a failover by hand the old one
// may still think so, and which of the two the application writes to cannot be known.
void Standalone::find_primary(Deadline deadline) {
    std::optional<Unavailable> last;
    std::unique_ptr<Connection> found;
    for (std::size_t i = 0; i < addresses_.size(); i++) {
        // One that is frozen leaves the others their share of the time.
        const auto share = deadline.left() / static_cast<int>(addresses_.size() - i);
        const auto limit =
            deadline.sooner(Deadline::in(std::min(share, 2 * access_.connect_timeout)));
        try {
            auto made = connect(addresses_[i], access_, limit);
            if (!is_primary(*made, limit)) {
                continue;
            }
            if (found) {
                throw Unavailable("TwoPrimaries", print_address(found->address()) + " and " +
                                                      print_address(made->address()) +
                                                      " both say they are the primary; make one "
                                                      "the other's replica");
            }
            found = std::move(made);
        } catch (const Unavailable& error) {
            if (error.reason() == "TwoPrimaries") {
                throw;
            }
            last = error;
        }
    }
    if (!found) {
        throw_no_primary(last);
    }
    primary_ = std::move(found);
}

void Standalone::throw_no_primary(const std::optional<Unavailable>& last) const {
    if (last && addresses_.size() == 1) {
        throw Unavailable(*last);
    }
    throw Unavailable("NoPrimary",
                      std::string("none of the store's addresses is a primary") +
                          (last ? "; the last error: " + std::string(last->what()) : ""));
}

void Standalone::check(const Reply& reply) {
    if (!reply.is_error()) {
        return;
    }
    const auto code = code_of(reply.text);
    if (code == "MOVED" || code == "ASK") {
        throw Unavailable("ClusterMismatch", "the server is part of a cluster; set cluster = true");
    }
    if (code == "READONLY") {
        look_again();
    }
    throw_if_unavailable(reply);
}

std::vector<Reply> Standalone::try_in(std::int64_t database, std::span<const Words> commands,
                                      Deadline deadline) {
    Connection& connection = primary(deadline);
    connection.select(database, deadline);
    auto replies = connection.exchange(commands, deadline);
    for (const Reply& reply : replies) {
        check(reply);
    }
    return replies;
}

// A connection that has been idle may have been closed by the other side long ago: reading is tried
// once more on a new one. While held it is not, because primary() refuses.
std::vector<Reply> Standalone::run_in(std::int64_t database, std::span<const Words> commands,
                                      Deadline deadline) {
    const bool idle = primary_ && primary_->used();
    try {
        return try_in(database, commands, deadline);
    } catch (const Unavailable& error) {
        if (!idle || held() || error.reason() != "ConnectionLost") {
            throw;
        }
    }
    return try_in(database, commands, deadline);
}

std::vector<Reply> Standalone::run(std::span<const Command> commands, Deadline deadline) {
    return run_routed({}, database_, commands, deadline);
}

std::vector<Reply> Standalone::run_routed(const Address&, std::int64_t database,
                                          std::span<const Command> commands, Deadline deadline) {
    std::vector<Words> words;
    words.reserve(commands.size());
    for (const Command& command : commands) {
        words.push_back(command.words);
    }
    return run_in(database, words, deadline);
}

std::vector<Reply> Standalone::run_at(const Address&, std::int64_t database,
                                      std::span<const Words> commands, Deadline deadline) {
    return run_in(database, commands, deadline);
}

Layout Standalone::layout(Deadline deadline) {
    const Address address = primary(deadline).address();
    return {{address}, {}, connection_number()};
}

} // namespace

std::unique_ptr<Nodes> make_standalone(std::vector<Address> addresses, const Access& access,
                                       std::int64_t database) {
    return std::make_unique<Standalone>(std::move(addresses), access, database);
}

} // namespace tenancy::sidecar::redis
