// Looks for, and removes, all keys of some tenants at once.
//
// One pass over a database serves all of them. The server has to look at every key for one tenant
// as for a hundred, so a pass each would cost it as many times as much; what one pass costs more is
// keys of others that the pattern lets through, and pattern_for() lets few through until there are
// dozens of tenants, when a pass each would be dozens of passes.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/failure.hpp"
#include "redis/scan.hpp"

namespace tenancy::sidecar::redis {

class Sweep {
public:
    // Namespaces are prefixes of keys, "{t:...}:"; each key of them matches `pattern`. `alive` is
    // asked between the commands; when it says no, the rest fails with LeaseLost.
    Sweep(Nodes& nodes, std::vector<std::string> namespaces, std::string pattern,
          const std::function<bool()>& alive, Deadline deadline);

    // The reason of the failure of what could not be finished before the deadline.
    static constexpr const char* unfinished = "EraseUnfinished";

    // Whether there is any key, for each namespace. Absence is told only where no key can have
    // escaped the walk.
    [[nodiscard]] std::vector<Result<bool>> look();

    // Removes all keys and walks again until a whole pass has found none: nothing for a namespace
    // of which that is so, or why not.
    [[nodiscard]] std::vector<std::optional<Failure>> erase();

private:
    struct Space {
        std::string prefix;
        std::uint64_t found = 0; // in the present pass
        std::uint64_t removed = 0;
        bool proven = false; // a whole pass found nothing
        std::optional<Failure> failure;
    };

    // One walk over everything; false when it was stopped or cannot prove anything.
    void pass(bool removing);
    bool visit(const Place& place, const std::vector<Reply>& keys, bool removing);
    void remove(const Place& place, Space& space, const std::vector<std::string>& keys);
    std::vector<Reply> unlink(const Place& place, const std::vector<std::string>& keys,
                              std::size_t at_once);
    void judge(const Layout& before, const Layout& after);
    [[nodiscard]] bool open() const;
    void fail_open(const Failure& failure);
    bool may_go_on();

    Nodes& nodes_;
    std::vector<Space> spaces_;
    std::unordered_map<std::string, std::size_t> index_; // of spaces_ by prefix
    std::string pattern_;
    const std::function<bool()>& alive_;
    Deadline deadline_;
    // No command is begun in what is left then, so that time which is too short for all keys is not
    // taken for a server that does not answer.
    Milliseconds reserve_;
};

} // namespace tenancy::sidecar::redis
