// How soon notifications are followed by a look: everybody in the database may send them, as often
// as they like.
#pragma once

#include <cstdint>
#include <optional>

#include "base/deadline.hpp"

namespace tenancy::sidecar {

// Looks that follow each other, and find nothing, are made further and further apart. One that
// comes after a quiet while, or after one that found something, is made at once.
class Pace {
public:
    static constexpr int free_looks = 4; // in a row, that may find nothing
    static constexpr Milliseconds most{250};
    static constexpr Milliseconds quiet{1000};

    // Somebody notifies: when to look. `found` counts whatever looks have ever found.
    [[nodiscard]] Deadline next_look(std::uint64_t found);

private:
    int vain_ = 0; // looks in a row
    std::uint64_t found_ = 0;
    std::optional<Deadline> quiet_at_;
};

} // namespace tenancy::sidecar
