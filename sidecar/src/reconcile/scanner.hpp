// One thread that compares a whole store with PostgreSQL now and then: tenants that differ are
// marked as due, what no tenant explains is reported, adopted or pruned by the store's policy.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "postgres/registry.hpp"
#include "reconcile/beat.hpp"
#include "reconcile/stamp_check.hpp"
#include "reconcile/store_context.hpp"
#include "reconcile/surroundings.hpp"
#include "store/store.hpp"

namespace tenancy::sidecar {

struct UuidHash {
    std::size_t operator()(const Uuid& uuid) const noexcept;
};

class Scanner {
public:
    // Borrows `surroundings` and `context`.
    Scanner(Surroundings& surroundings, StoreContext& context, std::unique_ptr<Registry> registry,
            std::unique_ptr<Store> store);

    // Scans until the shutdown begins: soon after the store is ready, whenever context.scan is
    // signalled, and every config.scan. Throws nothing.
    void run(Beat& beat);

    // One whole scan. False when it was not possible or not finished.
    bool run_once(Beat& beat);

private:
    struct Scan {
        Beat& beat;
        InstanceView view;
        std::shared_ptr<const StoreDefinition> definition;
        std::string id;
        // Every tenant that PostgreSQL knows in this store, and whether it should be there.
        std::unordered_map<Uuid, bool, UuidHash> tenants;
        std::int64_t compared = 0;
        std::int64_t differing = 0;
        std::int64_t unknown = 0;
    };

    bool scan(Beat& beat);
    // Each throws Unavailable and what the registry throws, and returns false to stop.
    bool compare_tenants(Scan& scan);
    bool compare_page(Scan& scan, const std::vector<Desired>& page);
    // Fewer than the tenants where the scan may not go on.
    [[nodiscard]] std::vector<Result<Observed>> look(const Scan& scan,
                                                     const std::vector<Desired>& tenants);
    [[nodiscard]] Result<Observed> look_at_one(const Desired& desired);
    [[nodiscard]] static bool differs(const Scan& scan, const Desired& desired,
                                      const Observed& observed);
    bool look_for_unknown(Scan& scan);
    void sort_out(Scan& scan, const std::vector<FoundObject>& objects);
    void resolve(Scan& scan, std::vector<UnknownObject>& unknown);
    // What cannot be noted is not to be touched any more.
    void report(const Scan& scan, std::vector<UnknownObject>& unknown);
    bool note(const Scan& scan, const std::vector<UnknownObject>& unknown);
    void report_refused(const Scan& scan, UnknownObject& unknown);
    // Does what its resolution says; false when it could not, or may not any more.
    bool touch(const Scan& scan, const UnknownObject& unknown);
    void repair(Scan& scan, const std::vector<Uuid>& tenants);
    // Waits as scan_rate asks for.
    void pace(const Scan& scan, std::size_t looked_at, Milliseconds spent);
    // The thread will be back after `waiting` and a few calls.
    void promise(Beat& beat, Milliseconds waiting = Milliseconds::zero()) const;
    [[nodiscard]] bool may_go_on(const Scan& scan);
    [[nodiscard]] bool verified(const Scan& scan);
    [[nodiscard]] Deadline limit() const;

    Surroundings& surroundings_;
    StoreContext& context_;
    const std::unique_ptr<Registry> registry_;
    const std::unique_ptr<Store> store_;
    StampCheck stamp_check_;
    const std::string name_;
    std::int64_t scans_ = 0;
};

} // namespace tenancy::sidecar
