#include "reconcile/stamp_check.hpp"

#include <algorithm>
#include <stdexcept>

#include "reconcile/fence.hpp"

namespace tenancy::sidecar {
namespace {

constexpr Milliseconds verified_for{1000};

} // namespace

bool StampCheck::same_connection() const {
    return verified_epoch_ && store_.connection_number() == verified_connection_;
}

std::optional<Failure> StampCheck::judge(const std::optional<Stamp>& found,
                                         const InstanceView& view) {
    known_tick_ = std::max(known_tick_, view.tick);
    if (found && found->tick > known_tick_) {
        known_tick_ = std::max(known_tick_, registry_.identity().tick);
    }
    StampKnowledge known;
    known.instance = view.instance;
    known.store = name_;
    known.epoch = view.epoch;
    known.tick = known_tick_;
    known.tick_written = true;
    known.database_tick = known_tick_;
    known.stamped_before = true;
    const auto verdict = judge_stamp(found, known);
    if (verdict.step == StampVerdict::Step::refuse) {
        return Failure{FailureKind::foreign, verdict.reason, verdict.message};
    }
    if (found && found->epoch != view.epoch) {
        return Failure{FailureKind::transient, "StampOutdated",
                       "the store carries the stamp of an earlier epoch"};
    }
    return std::nullopt;
}

// A store that connects anew on the way may have read one server's stamp and be with another now.
std::pair<std::optional<Stamp>, std::uint64_t> StampCheck::read(Deadline deadline) {
    for (int tries = 0; tries < 5; ++tries) {
        const auto connection = store_.connection_number();
        auto found = store_.read_stamp(deadline);
        if (store_.connection_number() == connection) {
            return {std::move(found), connection};
        }
    }
    throw Unavailable("Unreachable", "the connection is lost again and again");
}

std::optional<Failure> StampCheck::verify(const InstanceView& view, Deadline deadline) {
    if (same_connection() && !verified_until_.passed() && verified_epoch_ == view.epoch &&
        verified_instance_ == view.instance) {
        return std::nullopt;
    }
    verified_epoch_.reset();
    const auto until = Deadline::in(verified_for);
    const auto [found, connection] = read(deadline);
    if (auto failure = judge(found, view)) {
        return failure;
    }
    verified_connection_ = connection;
    verified_epoch_ = view.epoch;
    verified_instance_ = view.instance;
    verified_until_ = until;
    return std::nullopt;
}

std::optional<std::string> foreign_object(Store& store, const Uuid& instance,
                                          const std::function<bool()>& go_on) {
    std::optional<std::string> foreign;
    store.list(
        [&](const std::vector<FoundObject>& objects) {
            for (const auto& object : objects) {
                if (object.unanswered) {
                    throw Unavailable("TimedOut", object.name + " does not say whose it is");
                }
                if (object.instance && *object.instance != instance) {
                    foreign = "the store holds " + object.name + " of instance " +
                              print_uuid(*object.instance) +
                              "; check the address, or remove what is there";
                }
            }
            return !foreign && go_on();
        },
        Deadline::in(Milliseconds(60000)));
    if (!foreign && !go_on()) {
        throw std::runtime_error("what the store holds was not looked at to the end");
    }
    return foreign;
}

} // namespace tenancy::sidecar
