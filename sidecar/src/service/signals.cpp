#include "service/signals.hpp"

#include <ctime>

namespace tenancy::sidecar {

Signals::Signals(std::initializer_list<int> numbers) {
    sigemptyset(&awaited_);
    for (const int number : numbers) {
        sigaddset(&awaited_, number);
    }
    pthread_sigmask(SIG_BLOCK, &awaited_, &before_);
}

Signals::~Signals() {
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

std::optional<int> Signals::wait(Deadline deadline) const {
    for (;;) {
        const auto left = deadline.left().count();
        const timespec limit{static_cast<time_t>(left / 1000),
                             static_cast<long>(left % 1000 * 1000000)};
        const int number = sigtimedwait(&awaited_, nullptr, &limit);
        if (number > 0) {
            return number;
        }
        if (deadline.passed()) {
            return std::nullopt;
        }
    }
}

} // namespace tenancy::sidecar
