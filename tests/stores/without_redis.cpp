// Stands in where tenancyd is built without the redis store.
#include "store/store.hpp"

namespace tenancy::sidecar {

std::unique_ptr<Store> make_redis_store(const StoreConfig&) {
    throw ConfigError("built without the redis store");
}

} // namespace tenancy::sidecar
