// What the daemon of this host does at the moment, for tenancyd status: the database knows only of
// daemons that write.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "config/config.hpp"

namespace tenancy::sidecar {

// {"daemon": its name, "answers": whether it does (null where it has no HTTP address), "observes":
// whether nothing is written from this host (null where that is not known), "reason", "message" and
// "next_step" of that, "reasons": what the daemon itself says}. `instance` is that of
// tenancy.status_report(). Asks the daemon, two seconds at most; throws nothing for what it finds.
[[nodiscard]] nlohmann::json host_state(const Config& config, const nlohmann::json& instance);

} // namespace tenancy::sidecar
