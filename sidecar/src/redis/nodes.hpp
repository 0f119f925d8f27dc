// The servers behind a store: one, a primary among replicas, or a cluster. Sends each command to
// the server that has its key, and finds that server again when it has moved.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "redis/connection.hpp"

namespace tenancy::sidecar::redis {

struct Command {
    std::string key; // decides about the node; all keys of the command lie in its slot
    Words words;
};

// What the keys' places are, to be compared before and after a walk over all of them: keys that
// wander from a node not yet visited to one already left escape it.
struct Layout {
    std::vector<Address> primaries; // each has keys that no other has
    std::set<unsigned> moving;      // slots being moved between nodes
    std::uint64_t version = 0;      // another one when any slot has another owner
};

// Every call throws Unavailable when the store does not serve.
class Nodes {
public:
    virtual ~Nodes() = default;

    // The replies in order, in the store's own database. Errors that concern the whole store are
    // thrown; others, TRYAGAIN after several tries included, are for the caller.
    [[nodiscard]] virtual std::vector<Reply> run(std::span<const Command> commands,
                                                 Deadline deadline) = 0;
    // The same on one node and in one of its databases.
    [[nodiscard]] virtual std::vector<Reply> run_at(const Address& node, std::int64_t database,
                                                    std::span<const Words> commands,
                                                    Deadline deadline) = 0;
    // Commands about keys that were seen in this place: there, or where the keys have moved to.
    [[nodiscard]] virtual std::vector<Reply> run_routed(const Address& node, std::int64_t database,
                                                        std::span<const Command> commands,
                                                        Deadline deadline) = 0;
    // As it is now, asked anew.
    [[nodiscard]] virtual Layout layout(Deadline deadline) = 0;
    // Forgets where the primary is, so that it is looked for again.
    virtual void look_again() = 0;

    // While held, no connection replaces a lost one: whoever is about to write has verified who the
    // server is, and would not know that it is another one now.
    class Hold {
    public:
        explicit Hold(Nodes& nodes) : nodes_(nodes) { nodes_.held_ = true; }
        ~Hold() { nodes_.held_ = false; }
        Hold(const Hold&) = delete;
        Hold& operator=(const Hold&) = delete;

    private:
        Nodes& nodes_;
    };

    [[nodiscard]] std::uint64_t connection_number() const { return connections_; }

protected:
    [[nodiscard]] bool held() const { return held_; }
    // Connections that were given up, to be made anew when they are needed: counts as a new one.
    void count_loss() { connections_++; }
    // A new connection, counted.
    [[nodiscard]] std::unique_ptr<Connection> connect(const Address& address, const Access& access,
                                                      Deadline deadline) {
        auto made = std::make_unique<Connection>(address, access, deadline);
        connections_++;
        return made;
    }

private:
    bool held_ = false;
    std::uint64_t connections_ = 0;
};

// `addresses`: the server, or the primary and its replicas in any order.
[[nodiscard]] std::unique_ptr<Nodes> make_standalone(std::vector<Address> addresses,
                                                     const Access& access, std::int64_t database);
// `seeds`: some of the cluster's nodes. `access` outlives the result, here and above.
[[nodiscard]] std::unique_ptr<Nodes> make_cluster(std::vector<Address> seeds, const Access& access);

} // namespace tenancy::sidecar::redis
