// The states of a tenant and the transitions between them, as tenancyd knows them: the one table.
// A test compares it with tenancy.transition. Whatever it does not know is never guessed.
#pragma once

#include <array>
#include <string>
#include <string_view>

namespace tenancy::sidecar {

struct LifecycleState {
    std::string_view name;
    bool cut_off;        // the application may not serve the tenant
    bool may_be_present; // objects of the tenant may be in a store
};

struct LifecycleTransition {
    std::string_view from;
    std::string_view action;
    std::string_view to;
};

inline constexpr std::array<LifecycleState, 7> lifecycle_states = {{
    {"provisioning", false, true},
    {"active", false, true},
    {"read_only", false, true},
    {"suspended", true, true},
    {"archived", true, true},
    {"erasing", true, true},
    {"erased", true, false},
}};

inline constexpr std::array<LifecycleTransition, 13> lifecycle_transitions = {{
    {"provisioning", "activate", "active"},
    {"provisioning", "archive", "archived"},
    {"active", "set_read_only", "read_only"},
    {"active", "suspend", "suspended"},
    {"read_only", "resume", "active"},
    {"read_only", "suspend", "suspended"},
    {"read_only", "archive", "archived"},
    {"suspended", "resume", "active"},
    {"suspended", "set_read_only", "read_only"},
    {"suspended", "archive", "archived"},
    {"archived", "request_erasure", "erasing"},
    {"erasing", "cancel_erasure", "archived"},
    {"erasing", "finish_erasure", "erased"},
}};

// The state of that name, or nullptr.
[[nodiscard]] constexpr const LifecycleState* find_state(std::string_view name) {
    for (const auto& state : lifecycle_states) {
        if (state.name == name) {
            return &state;
        }
    }
    return nullptr;
}

// The table as JSON, for `tenancyd lifecycle`: {"states": [{"name", "cut_off", "may_be_present"}],
// "transitions": [{"from", "action", "to"}]}, in the table's order, with a newline at the end.
[[nodiscard]] std::string print_lifecycle();

} // namespace tenancy::sidecar
