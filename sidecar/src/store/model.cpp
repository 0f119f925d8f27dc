#include "store/model.hpp"

namespace tenancy::sidecar {

bool restricts(std::string_view state) {
    return state != "provisioning" && state != "active";
}

std::string_view name_of(Action::Kind kind) {
    switch (kind) {
    case Action::Kind::claim:
        return "claim";
    case Action::Kind::publish:
        return "publish";
    case Action::Kind::create_collection:
        return "create_collection";
    case Action::Kind::set_validator:
        return "set_validator";
    case Action::Kind::create_index:
        return "create_index";
    case Action::Kind::replace_index:
        return "replace_index";
    case Action::Kind::set_ttl:
        return "set_ttl";
    case Action::Kind::drop_index:
        return "drop_index";
    case Action::Kind::prune_collection:
        return "prune_collection";
    case Action::Kind::erase:
        return "erase";
    }
    return "unknown";
}

} // namespace tenancy::sidecar
