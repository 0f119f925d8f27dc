#include "redis/sweep.hpp"

#include <algorithm>
#include <map>

#include "redis/keys.hpp"
#include "redis/refusal.hpp"
#include "redis/slots.hpp"
#include "store/store.hpp"

namespace tenancy::sidecar::redis {
namespace {

constexpr std::size_t most_at_once = 500; // keys of one UNLINK
constexpr int most_passes = 6;
constexpr Milliseconds most_reserved{1000};

bool is_again(const Reply& reply) {
    return reply.is_error() && code_of(reply.text) == "TRYAGAIN";
}

} // namespace

Sweep::Sweep(Nodes& nodes, std::vector<std::string> namespaces, std::string pattern,
             const std::function<bool()>& alive, Deadline deadline)
    : nodes_(nodes), pattern_(std::move(pattern)), alive_(alive), deadline_(deadline),
      reserve_(std::min(most_reserved, deadline.left() / 10)) {
    for (std::string& prefix : namespaces) {
        index_.emplace(prefix, spaces_.size());
        spaces_.push_back({std::move(prefix), 0, 0, false, std::nullopt});
    }
}

bool Sweep::open() const {
    return std::any_of(spaces_.begin(), spaces_.end(),
                       [](const Space& space) { return !space.proven && !space.failure; });
}

void Sweep::fail_open(const Failure& failure) {
    for (Space& space : spaces_) {
        if (!space.proven && !space.failure) {
            space.failure = failure;
        }
    }
}

bool Sweep::may_go_on() {
    if (!alive_()) {
        fail_open(lease_lost());
        return false;
    }
    if (deadline_.left() <= reserve_) {
        fail_open({FailureKind::transient, unfinished,
                   "there was not enough time to look at every key; what was found is removed"});
        return false;
    }
    return true;
}

// Each server's keys are one table, but keys move between servers.
void Sweep::judge(const Layout& before, const Layout& after) {
    for (Space& space : spaces_) {
        const unsigned slot = slot_of(space.prefix);
        const bool settled = before.version == after.version && !before.moving.contains(slot) &&
                             !after.moving.contains(slot);
        space.proven = space.proven || (settled && space.found == 0 && !space.failure);
    }
}

void Sweep::pass(bool removing) {
    for (Space& space : spaces_) {
        space.found = 0;
    }
    const Layout before = nodes_.layout(deadline_);
    const auto visitor = [&](const Place& place, const std::vector<Reply>& keys) {
        return visit(place, keys, removing) && may_go_on();
    };
    if (may_go_on() && walk(nodes_, before.primaries, pattern_, {}, visitor, deadline_)) {
        judge(before, nodes_.layout(deadline_));
    }
}

bool Sweep::visit(const Place& place, const std::vector<Reply>& keys, bool removing) {
    std::map<std::size_t, std::vector<std::string>> by_space;
    for (const Reply& key : keys) {
        const auto found = index_.find(std::string(prefix_in(key.text)));
        if (found != index_.end()) {
            spaces_[found->second].found++;
            by_space[found->second].push_back(key.text);
        }
    }
    if (removing) {
        for (const auto& [index, own] : by_space) {
            remove(place, spaces_[index], own);
        }
    }
    return true;
}

// While a slot is being moved a command for several of its keys is refused when they are not all on
// the same side: then each has its own.
void Sweep::remove(const Place& place, Space& space, const std::vector<std::string>& keys) {
    if (space.failure) {
        return;
    }
    auto replies = unlink(place, keys, most_at_once);
    if (std::any_of(replies.begin(), replies.end(), is_again)) {
        replies = unlink(place, keys, 1);
    }
    for (const Reply& reply : replies) {
        if (reply.is_error()) {
            space.failure = failure_of(reply.text);
            return;
        }
        space.removed += static_cast<std::uint64_t>(integer_of("UNLINK", reply));
    }
}

// In a cluster the key's owner is asked, which need not be the node that showed the key.
std::vector<Reply> Sweep::unlink(const Place& place, const std::vector<std::string>& keys,
                                 std::size_t at_once) {
    std::vector<Command> commands;
    for (std::size_t i = 0; i < keys.size(); i += at_once) {
        Command command{keys[i], {"UNLINK"}};
        const auto end = std::min(i + at_once, keys.size());
        command.words.insert(command.words.end(), keys.begin() + static_cast<std::ptrdiff_t>(i),
                             keys.begin() + static_cast<std::ptrdiff_t>(end));
        commands.push_back(std::move(command));
    }
    return nodes_.run_routed(place.node, place.database, commands, deadline_);
}

std::vector<Result<bool>> Sweep::look() {
    pass(false);
    std::vector<Result<bool>> results;
    for (const Space& space : spaces_) {
        if (space.found > 0) {
            results.emplace_back(true);
        } else if (space.proven) {
            results.emplace_back(false);
        } else {
            results.emplace_back(space.failure.value_or(failure_of("TRYAGAIN")));
        }
    }
    return results;
}

std::vector<std::optional<Failure>> Sweep::erase() {
    for (int i = 0; i < most_passes && open(); i++) {
        pass(true);
    }
    fail_open({FailureKind::transient, "KeysRemain",
               "keys of the tenant are found again and again: something still writes them, or its "
               "slot is being moved between nodes"});
    std::vector<std::optional<Failure>> results;
    results.reserve(spaces_.size());
    for (Space& space : spaces_) {
        results.push_back(std::move(space.failure));
    }
    return results;
}

} // namespace tenancy::sidecar::redis
