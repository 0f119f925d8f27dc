#include "reconcile/lifecycle.hpp"

#include <nlohmann/json.hpp>

namespace tenancy::sidecar {

std::string print_lifecycle() {
    auto states = nlohmann::ordered_json::array();
    for (const auto& state : lifecycle_states) {
        states.push_back({{"name", state.name},
                          {"cut_off", state.cut_off},
                          {"may_be_present", state.may_be_present}});
    }
    auto transitions = nlohmann::ordered_json::array();
    for (const auto& transition : lifecycle_transitions) {
        transitions.push_back(
            {{"from", transition.from}, {"action", transition.action}, {"to", transition.to}});
    }
    const nlohmann::ordered_json table = {{"states", states}, {"transitions", transitions}};
    return table.dump(2) + "\n";
}

} // namespace tenancy::sidecar
