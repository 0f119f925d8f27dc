// Stands in where tenancyd is built without the mongodb store.
#include "store/store.hpp"

namespace tenancy::sidecar {

std::unique_ptr<Store> make_mongodb_store(const StoreConfig&) {
    throw ConfigError("built without the mongodb store");
}

} // namespace tenancy::sidecar
