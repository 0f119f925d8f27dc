// What this daemon knows of the instance at the moment, for all its threads.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>

#include "uuid.hpp"

namespace tenancy::sidecar {

struct InstanceView {
    bool may_write = false; // otherwise reason and message say why not
    Uuid instance;
    std::int64_t epoch = 0;
    std::string database;     // InstanceIdentity::live() of the one that was looked at
    std::int64_t tick = 0;    // that this daemon took from the database last
    std::uint64_t fences = 0; // how often fence() was called before it was looked at
    std::string reason = "Starting";
    std::string message = "the instance has not been looked at yet";
};

class InstanceState {
public:
    [[nodiscard]] InstanceView view() const {
        const std::lock_guard lock(mutex_);
        return view_;
    }

    // Whether what was begun with that view may go on: another database may have taken its place.
    [[nodiscard]] bool still(const InstanceView& view) const {
        const std::lock_guard lock(mutex_);
        return view_.may_write && view_.instance == view.instance && view_.epoch == view.epoch;
    }

    // True when the right to write, its reason or the instance changed. A right to write that was
    // found before the last fence() is not given: what was seen then has to be looked at first.
    bool set(InstanceView view) {
        const std::lock_guard lock(mutex_);
        if (view.may_write && view.fences != view_.fences) {
            return false;
        }
        view.fences = view_.fences;
        const bool changed = view.may_write != view_.may_write || view.reason != view_.reason ||
                             view.instance != view_.instance || view.epoch != view_.epoch;
        view_ = std::move(view);
        return changed;
    }

    // Nothing is written until the instance has been looked at again.
    void fence(std::string reason, std::string message) {
        const std::lock_guard lock(mutex_);
        ++view_.fences;
        view_.may_write = false;
        view_.reason = std::move(reason);
        view_.message = std::move(message);
    }

private:
    mutable std::mutex mutex_;
    InstanceView view_;
};

} // namespace tenancy::sidecar
