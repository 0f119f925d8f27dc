// A tenant's database, removed and proven gone.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/failure.hpp"
#include "mongodb/session.hpp"

namespace tenancy::sidecar::mongodb {

// Drops the database, acknowledged by a majority, and looks whether it is gone; drops it again when
// somebody has written to it meanwhile, a few times. Nothing when its absence is proven: neither
// listDatabases nor listCollections shows anything of it. A failure StillThere otherwise.
[[nodiscard]] std::optional<Failure> erase_database(Session& session, const std::string& database,
                                                    const std::function<bool()>& alive,
                                                    Deadline deadline);

} // namespace tenancy::sidecar::mongodb
