#include "store/store.hpp"

namespace tenancy::sidecar {

Failure lease_lost() {
    return {FailureKind::transient, "LeaseLost", "the lease is over; another daemon may have it"};
}

std::unique_ptr<Store> make_store(const StoreConfig& config) {
    if (config.kind == "redis") {
        return make_redis_store(config);
    }
    return make_mongodb_store(config);
}

} // namespace tenancy::sidecar
