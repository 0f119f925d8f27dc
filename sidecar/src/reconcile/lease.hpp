// How long this daemon may act on what it has claimed, by its own clock.
#pragma once

#include "base/deadline.hpp"

namespace tenancy::sidecar {

// To be made before the call that takes the lease, so that it ends here before it ends there; a
// fifth is kept back besides, for clocks that run at different speeds and for what is on the wire.
class Lease {
public:
    explicit Lease(Milliseconds length)
        : end_(Deadline::in(length - length / 5)), half_(Deadline::in(length / 2)) {}

    [[nodiscard]] bool over() const { return end_.passed(); }
    [[nodiscard]] Deadline end() const { return end_; }
    // Half of it has gone by: whoever needs longer should ask for it now.
    [[nodiscard]] bool wants_extension() const { return half_.passed(); }

private:
    Deadline end_;
    Deadline half_;
};

} // namespace tenancy::sidecar
