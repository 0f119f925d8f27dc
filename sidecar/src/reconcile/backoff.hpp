// How long to wait after a failure: growing, capped, and spread so that not all come back at once.
#pragma once

#include <algorithm>
#include <cstdint>
#include <random>

#include "base/deadline.hpp"

namespace tenancy::sidecar {

// Evenly from [0, 1); a sequence of its own for each thread.
[[nodiscard]] inline double random_fraction() {
    thread_local std::minstd_rand generator{std::random_device{}()};
    return std::uniform_real_distribution<double>(0.0, 1.0)(generator);
}

// The wait after `failures` failures in a row, from 1: at most first * 2^(failures - 1) and at most
// `most`; `fraction` of [0, 1) picks within that. Never zero.
[[nodiscard]] constexpr Milliseconds backoff(Milliseconds first, Milliseconds most,
                                             std::int64_t failures, double fraction) {
    Milliseconds limit = std::min(first, most);
    for (std::int64_t i = 1; i < failures && limit < most; ++i) {
        limit = std::min(limit * 2, most);
    }
    const auto picked = static_cast<double>(limit.count()) * fraction;
    return Milliseconds(1 + static_cast<std::int64_t>(picked));
}

// `period` give or take a tenth, so that daemons and threads do not fall into step.
[[nodiscard]] constexpr Milliseconds jittered(Milliseconds period, double fraction) {
    const auto factor = 0.9 + 0.2 * fraction;
    return Milliseconds(static_cast<std::int64_t>(static_cast<double>(period.count()) * factor));
}

} // namespace tenancy::sidecar
