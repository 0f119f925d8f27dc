// Looks at a store before something is written: at its stamp, for those who never write it, and
// before the first stamp at whose it is.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "base/deadline.hpp"
#include "base/failure.hpp"
#include "postgres/registry.hpp"
#include "reconcile/instance_state.hpp"
#include "store/store.hpp"

namespace tenancy::sidecar {

class StampCheck {
public:
    // Of the store of this name. Borrows both; used by the thread that owns them.
    StampCheck(std::string name, Store& store, Registry& registry)
        : name_(std::move(name)), store_(store), registry_(registry) {}

    // Nothing when the stamp is the instance's. It is read only when that was last done more than a
    // second ago, or on another connection. Throws as store and registry do.
    [[nodiscard]] std::optional<Failure> verify(const InstanceView& view, Deadline deadline);

    // Whether the session is still the one that was verified.
    [[nodiscard]] bool same_connection() const;

private:
    // The stamp, and the number of the connection that it was read on.
    [[nodiscard]] std::pair<std::optional<Stamp>, std::uint64_t> read(Deadline deadline);
    [[nodiscard]] std::optional<Failure> judge(const std::optional<Stamp>& found,
                                               const InstanceView& view);

    std::string name_;
    Store& store_;
    Registry& registry_;
    std::int64_t known_tick_ = 0;
    Uuid verified_instance_;
    std::optional<std::int64_t> verified_epoch_; // nothing: not verified
    std::uint64_t verified_connection_ = 0;
    Deadline verified_until_ = Deadline::in(Milliseconds::zero());
};

// Before the first stamp nobody else's tenants may be there: says what is, of which other instance.
// Throws Unavailable, also where something does not say whose it is, and std::runtime_error where
// go_on() ended it.
[[nodiscard]] std::optional<std::string> foreign_object(Store& store, const Uuid& instance,
                                                        const std::function<bool()>& go_on);

} // namespace tenancy::sidecar
