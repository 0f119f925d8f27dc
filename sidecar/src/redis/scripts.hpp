// What has to happen in one piece on the server, in Lua, and what the scripts answer.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "redis/nodes.hpp"

namespace tenancy::sidecar::redis {

struct Script {
    explicit Script(std::string_view source);

    std::string text;
    std::string sha; // by which EVALSHA knows it
};

// KEYS marker, settings. ARGV instance, generation, state, channel, "publish" | "claim", the
// generation that is disowned or nothing, then settings' keys and values in turn. Answers {"done"},
// {"superseded", generation} or {"foreign"}. The second works on a full server too: for states that
// take something away from the tenant.
[[nodiscard]] const Script& publish_script();
[[nodiscard]] const Script& restrict_script();

// KEYS marker, settings. Writes nothing. Answers {whether any of the two is there (0, 1), whether
// the marker can be read, whether the settings can be, instance, generation, state, {settings}}.
// What a tenant's own client has blown up is not read: it counts as unreadable.
[[nodiscard]] const Script& read_script();

// KEYS stamp. ARGV the four fields expected (empty: none), the four new ones. Answers 1 when
// written.
[[nodiscard]] const Script& stamp_script();

// KEYS marker. ARGV instance. Makes it the marker of that instance, at generation 0.
[[nodiscard]] const Script& adopt_script();

// KEYS a key that is not there. Changes nothing, but needs what the others need.
[[nodiscard]] const Script& probe_script();

struct Call {
    const Script* script = nullptr;
    std::vector<std::string> keys; // at least one; all of one slot
    std::vector<std::string> arguments;
};

// Runs them pipelined; those that the server has not seen yet are sent again with their text.
[[nodiscard]] std::vector<Reply> call(Nodes& nodes, std::span<const Call> calls, Deadline deadline);

} // namespace tenancy::sidecar::redis
