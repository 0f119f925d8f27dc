// One thread that keeps a store's stamp: it decides whether the store may be written to, stamps it
// with each tick, probes what it can do, and tries it again while it is down.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "postgres/registry.hpp"
#include "reconcile/beat.hpp"
#include "reconcile/fence.hpp"
#include "reconcile/store_context.hpp"
#include "reconcile/surroundings.hpp"
#include "store/store.hpp"

namespace tenancy::sidecar {

class StoreKeeper {
public:
    // Borrows `surroundings` and `context`.
    StoreKeeper(Surroundings& surroundings, StoreContext& context,
                std::unique_ptr<Registry> registry, std::unique_ptr<Store> store);

    // Keeps until the shutdown begins. Throws nothing.
    void run(Beat& beat);

    // Looks at the store once, unless the breaker says that it is too early. Never throws.
    void run_once();

private:
    void look();
    void look_at_stamp(const InstanceView& view, bool definition_changed);
    [[nodiscard]] bool has_new_runs();
    void look_for_contest(const InstanceView& view, const std::optional<Stamp>& found);
    [[nodiscard]] StampVerdict judge(const InstanceView& view, const std::optional<Stamp>& found);
    [[nodiscard]] InstanceIdentity database(const InstanceView& view);
    [[nodiscard]] StampVerdict settle_stamp(const InstanceView& view);
    [[nodiscard]] bool write_stamp(const InstanceView& view, const std::optional<Stamp>& found);
    void probe_unless_known(bool definition_changed);
    void probe();
    void note_stamp(StampSeen seen);
    void down(const Unavailable& problem);
    void show(const Gate& gate, bool reachable);
    bool report(const InstanceView& view, const Gate& gate, bool reachable);

    [[nodiscard]] Deadline limit() const;

    Surroundings& surroundings_;
    StoreContext& context_;
    const std::unique_ptr<Registry> registry_;
    const std::unique_ptr<Store> store_;
    const std::string name_;
    std::shared_ptr<const StoreDefinition> definition_;
    std::string runs_; // of the store's servers, as they were last; empty before the first look
    std::optional<Capabilities> capabilities_;
    std::uint64_t probed_connection_ = 0;
    bool stamped_ = false;          // PostgreSQL knows that the store carries the stamp
    std::int64_t written_tick_ = 0; // that was tried to be stamped
    std::int64_t last_seen_ = 0;
    std::optional<Deadline> report_at_; // even when nothing changed
    std::string reported_reason_;
    bool probed_anew_ = false;
};

} // namespace tenancy::sidecar
