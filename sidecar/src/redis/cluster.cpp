// A cluster: commands go to the owner of their key's slot, follow MOVED and ASK, and the map of the
// slots is read again when a node turns out to have changed or gone.
#include <algorithm>
#include <charconv>
#include <map>
#include <sstream>
#include <thread>
#include <utility>

#include "base/failure.hpp"
#include "redis/nodes.hpp"
#include "redis/refusal.hpp"
#include "redis/slots.hpp"

namespace tenancy::sidecar::redis {
namespace {

constexpr int most_rounds = 16;         // of redirections until the cluster counts as unsettled
constexpr Milliseconds again_after{10}; // what TRYAGAIN waits
constexpr std::string_view again = "TRYAGAIN"; // keys of the command lie on two nodes

class Cluster : public Nodes {
public:
    Cluster(std::vector<Address> seeds, const Access& access)
        : seeds_(std::move(seeds)), access_(access) {}

    std::vector<Reply> run(std::span<const Command> commands, Deadline deadline) override;
    std::vector<Reply> run_at(const Address& node, std::int64_t database,
                              std::span<const Words> commands, Deadline deadline) override;
    std::vector<Reply> run_routed(const Address&, std::int64_t, std::span<const Command> commands,
                                  Deadline deadline) override {
        return run(commands, deadline);
    }
    Layout layout(Deadline deadline) override;
    void look_again() override { known_ = false; }

private:
    struct Target {
        std::size_t index = 0; // of the command
        Address node;
        bool asking = false;
    };
    using Targets = std::vector<Target>;

    Connection& at(const Address& node, Deadline deadline);
    void refresh(Deadline deadline);
    bool refresh_from(const Address& node, Deadline deadline);
    // So that whoever writes next is not kept by one that may not be replaced then.
    void forget_broken();
    // Closes connections to nodes that are no primaries any more.
    void forget_departed();
    [[nodiscard]] std::vector<Address> candidates() const;
    [[nodiscard]] Address owner_of(const std::string& key) const;

    Targets send_to_all(const Targets& targets, std::span<const Command> commands,
                        std::vector<Reply>& replies, Deadline deadline);
    Targets send_to(const Address& node, const Targets& targets, std::span<const Command> commands,
                    std::vector<Reply>& replies, Deadline deadline);
    Targets find_again(const Targets& targets, std::span<const Command> commands,
                       const Unavailable& error, Deadline deadline);
    bool follow(Target& target, const Reply& reply);
    std::set<unsigned> moving_at(const Address& node, Deadline deadline);

    std::vector<Address> seeds_;
    const Access& access_;
    SlotMap map_;
    bool known_ = false; // whether map_ is worth something
    std::uint64_t version_ = 0;
    std::map<Address, std::unique_ptr<Connection>> connections_;
};

Connection& Cluster::at(const Address& node, Deadline deadline) {
    auto& connection = connections_[node];
    if (connection && connection->broken()) {
        if (held()) {
            throw Unavailable("ConnectionLost",
                              "the connection to " + print_address(node) +
                                  " was lost; nothing is written until the store's stamp is "
                                  "verified again");
        }
        connection.reset();
    }
    if (!connection) {
        connection = connect(node, access_, deadline);
    }
    return *connection;
}

// Nodes with a live connection first: they need no time to find out that they are gone.
std::vector<Address> Cluster::candidates() const {
    std::vector<Address> nodes;
    for (const auto& [node, connection] : connections_) {
        if (connection && !connection->broken()) {
            nodes.push_back(node);
        }
    }
    for (const auto* more : {&map_.primaries(), &seeds_}) {
        for (const Address& node : *more) {
            if (std::find(nodes.begin(), nodes.end(), node) == nodes.end()) {
                nodes.push_back(node);
            }
        }
    }
    return nodes;
}

void Cluster::forget_broken() {
    const auto broken = [](const auto& each) { return each.second && each.second->broken(); };
    if (std::erase_if(connections_, broken) > 0) {
        count_loss();
    }
}

void Cluster::forget_departed() {
    std::erase_if(connections_, [this](const auto& each) {
        const auto is_that = [&](const Address& node) { return node == each.first; };
        return std::ranges::none_of(map_.primaries(), is_that) &&
               std::ranges::none_of(seeds_, is_that);
    });
}

bool Cluster::refresh_from(const Address& node, Deadline deadline) {
    const Reply reply = at(node, deadline).exchange(Words{"CLUSTER", "SLOTS"}, deadline);
    SlotMap found(reply, node);
    if (found.primaries().empty()) {
        return false; // a node that was reset, or is not part of the cluster yet
    }
    if (!(found == map_)) {
        map_ = std::move(found);
        version_++;
        forget_departed();
    }
    known_ = true;
    return true;
}

void Cluster::refresh(Deadline deadline) {
    std::optional<Unavailable> last;
    const auto nodes = candidates();
    for (std::size_t i = 0; i < nodes.size(); i++) {
        const auto share = deadline.left() / static_cast<int>(nodes.size() - i);
        const auto limit =
            deadline.sooner(Deadline::in(std::min(share, 2 * access_.connect_timeout)));
        try {
            if (refresh_from(nodes[i], limit)) {
                return;
            }
        } catch (const Unavailable& error) {
            if (error.reason() == "ClusterMismatch") {
                throw;
            }
            last = error;
        }
    }
    throw last ? *last : Unavailable("ClusterDown", "no node of the cluster has any slot");
}

Address Cluster::owner_of(const std::string& key) const {
    const unsigned slot = slot_of(key);
    const Address* owner = map_.owner(slot);
    if (owner == nullptr) {
        throw Unavailable("ClusterDown", "no node of the cluster has slot " + std::to_string(slot));
    }
    return *owner;
}

// Whether the command is to be sent again, to where `target` points now.
bool Cluster::follow(Target& target, const Reply& reply) {
    if (!reply.is_error()) {
        return false;
    }
    if (code_of(reply.text) == again) {
        return true;
    }
    const auto found = redirection(reply.text);
    if (!found) {
        return false;
    }
    if (!found->address.host.empty()) {
        target.node.host = found->address.host;
    }
    target.node.port = found->address.port;
    target.asking = found->ask;
    if (!found->ask) {
        map_.set_owner(found->slot, target.node);
        version_++;
        known_ = false; // more than this slot has moved, as a rule
    }
    return true;
}

Cluster::Targets Cluster::send_to(const Address& node, const Targets& targets,
                                  std::span<const Command> commands, std::vector<Reply>& replies,
                                  Deadline deadline) {
    std::vector<Words> words;
    for (const Target& target : targets) {
        if (target.asking) {
            words.push_back({"ASKING"});
        }
        words.push_back(commands[target.index].words);
    }
    auto received = at(node, deadline).exchange(words, deadline);
    Targets left;
    std::size_t next = 0;
    for (Target target : targets) {
        next += target.asking ? 1 : 0;
        Reply& reply = received[next++];
        throw_if_unavailable(reply);
        if (follow(target, reply)) {
            left.push_back(target);
        }
        replies[target.index] = std::move(reply);
    }
    return left;
}

// After a node has failed: those whose owner is another one by now. Where it is still the same the
// failure is told.
Cluster::Targets Cluster::find_again(const Targets& targets, std::span<const Command> commands,
                                     const Unavailable& error, Deadline deadline) {
    refresh(deadline);
    Targets found;
    for (const Target& target : targets) {
        const Address owner = owner_of(commands[target.index].key);
        // A connection that was closed while idle proves nothing about its node; while held it is
        // not replaced.
        if (owner == target.node && (held() || error.reason() != "ConnectionLost")) {
            throw Unavailable(error);
        }
        found.push_back({target.index, owner, false});
    }
    return found;
}

Cluster::Targets Cluster::send_to_all(const Targets& targets, std::span<const Command> commands,
                                      std::vector<Reply>& replies, Deadline deadline) {
    std::map<Address, Targets> by_node;
    for (const Target& target : targets) {
        by_node[target.node].push_back(target);
    }
    Targets left;
    for (const auto& [node, group] : by_node) {
        Targets more;
        try {
            more = send_to(node, group, commands, replies, deadline);
        } catch (const Unavailable& error) {
            const auto& reason = error.reason();
            if (reason == "ReadOnlyReplica" || reason == "ClusterDown") {
                look_again();
            }
            if (reason != "ConnectionLost" && reason != "ConnectionFailed" &&
                reason != "TimedOut") {
                throw;
            }
            more = find_again(group, commands, error, deadline);
        }
        left.insert(left.end(), more.begin(), more.end());
    }
    return left;
}

std::vector<Reply> Cluster::run(std::span<const Command> commands, Deadline deadline) {
    if (!held()) {
        forget_broken();
    }
    if (!known_) {
        refresh(deadline);
    }
    std::vector<Reply> replies(commands.size());
    Targets left;
    for (std::size_t i = 0; i < commands.size(); i++) {
        left.push_back({i, owner_of(commands[i].key), false});
    }
    for (int round = 0; round < most_rounds && !left.empty(); round++) {
        left = send_to_all(left, commands, replies, deadline);
        const bool wait = std::any_of(left.begin(), left.end(), [&](const Target& target) {
            return code_of(replies[target.index].text) == again;
        });
        if (wait) {
            std::this_thread::sleep_for(std::min(again_after, deadline.left()));
        }
    }
    for (const Target& target : left) {
        if (code_of(replies[target.index].text) != again) {
            throw Unavailable("ClusterUnsettled", "the cluster's nodes redirect to each other");
        }
    }
    return replies;
}

std::vector<Reply> Cluster::run_at(const Address& node, std::int64_t database,
                                   std::span<const Words> commands, Deadline deadline) {
    Connection& connection = at(node, deadline);
    connection.select(database, deadline);
    auto replies = connection.exchange(commands, deadline);
    for (const Reply& reply : replies) {
        throw_if_unavailable(reply);
    }
    return replies;
}

// Slots that the node gives away or takes: "[93->-id]", "[93-<-id]" in its own line.
std::set<unsigned> Cluster::moving_at(const Address& node, Deadline deadline) {
    const Reply reply = at(node, deadline).exchange(Words{"CLUSTER", "NODES"}, deadline);
    std::istringstream lines(text_of("CLUSTER NODES", reply));
    std::set<unsigned> slots;
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line.find("myself") != std::string::npos ? line : "");
        for (std::string word; words >> word;) {
            unsigned slot = 0;
            if (word.starts_with('[') &&
                std::from_chars(word.data() + 1, word.data() + word.size(), slot).ec ==
                    std::errc()) {
                slots.insert(slot);
            }
        }
    }
    return slots;
}

Layout Cluster::layout(Deadline deadline) {
    refresh(deadline);
    Layout layout{map_.primaries(), {}, version_};
    for (const Address& node : layout.primaries) {
        layout.moving.merge(moving_at(node, deadline));
    }
    return layout;
}

} // namespace

std::unique_ptr<Nodes> make_cluster(std::vector<Address> seeds, const Access& access) {
    return std::make_unique<Cluster>(std::move(seeds), access);
}

} // namespace tenancy::sidecar::redis
