#include "reconcile/breaker.hpp"

#include <algorithm>
#include <utility>

#include "reconcile/backoff.hpp"

namespace tenancy::sidecar {

Breaker::Breaker(Milliseconds first_wait, Milliseconds most_wait, unsigned most_at_once,
                 std::function<double()> fraction)
    : first_wait_(first_wait), most_wait_(most_wait), most_at_once_(most_at_once),
      fraction_(std::move(fraction)),
      allowed_{{Task::keep, most_at_once}, {Task::erase, most_at_once}},
      retry_at_(Deadline::in(Milliseconds::zero())) {}

Breaker::State Breaker::state() const {
    const std::lock_guard lock(mutex_);
    if (closed_) {
        return State::closed;
    }
    return probing_ || retry_at_.passed() ? State::half_open : State::open;
}

unsigned Breaker::allowed(Task task) const {
    const std::lock_guard lock(mutex_);
    return closed_ ? allowed_.at(task) : 0;
}

bool Breaker::begin_probe() {
    const std::lock_guard lock(mutex_);
    if (closed_ || probing_ || !retry_at_.passed()) {
        return false;
    }
    return probing_ = true;
}

Milliseconds Breaker::wait_left() const {
    const std::lock_guard lock(mutex_);
    return closed_ || probing_ ? Milliseconds::zero() : retry_at_.left();
}

void Breaker::succeeded() {
    const std::lock_guard lock(mutex_);
    if (!closed_ && probing_) {
        closed_ = true;
        probing_ = false;
        allowed_ = {{Task::keep, 1}, {Task::erase, 1}};
    }
}

void Breaker::worked(Task task, unsigned claimed) {
    const std::lock_guard lock(mutex_);
    if (!closed_ || claimed == 0) {
        return;
    }
    auto& allowed = allowed_.at(task);
    if (claimed >= allowed) {
        allowed = std::min(allowed * 2, most_at_once_);
    }
    failures_ = 0;
}

void Breaker::slowed(Task task) {
    const std::lock_guard lock(mutex_);
    allowed_.at(task) = 1;
}

void Breaker::failed() {
    const std::lock_guard lock(mutex_);
    if (!closed_ && !probing_) {
        return; // somebody else has said so already
    }
    closed_ = false;
    probing_ = false;
    retry_at_ = Deadline::in(backoff(first_wait_, most_wait_, ++failures_, fraction_()));
}

} // namespace tenancy::sidecar
