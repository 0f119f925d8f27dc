#include "store/store.hpp"

namespace tenancy::sidecar {

std::unique_ptr<Store> make_store(const StoreConfig& config) {
    if (config.kind == "redis") {
        return make_redis_store(config);
    }
    return make_mongodb_store(config);
}

} // namespace tenancy::sidecar
