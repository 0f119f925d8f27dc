#include "reconcile/pace.hpp"

#include <algorithm>

namespace tenancy::sidecar {

Deadline Pace::next_look(std::uint64_t found) {
    constexpr Milliseconds first{10};
    const bool after_quiet = !quiet_at_ || quiet_at_->passed();
    vain_ = after_quiet || found != found_ ? 0 : vain_ + 1;
    found_ = found;
    auto pause = vain_ > free_looks ? first : Milliseconds::zero();
    for (int i = free_looks + 1; i < vain_ && pause < most; ++i) {
        pause = std::min(pause * 2, most);
    }
    quiet_at_ = Deadline::in(pause + quiet);
    return Deadline::in(pause);
}

} // namespace tenancy::sidecar
