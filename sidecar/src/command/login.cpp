// An administrator's login on the command line.
#include "command/commands.hpp"
#include "config/conninfo.hpp"

namespace tenancy::sidecar {

std::string Login::target() const {
    if (!conninfo.empty() && !service.empty()) {
        throw UsageError("--conninfo and --service are both given; leave one out");
    }
    const std::string objection = objection_to_conninfo(conninfo);
    if (!objection.empty()) {
        throw UsageError("--conninfo " + objection);
    }
    if (service.find_first_of(" '\\") != std::string::npos) {
        throw UsageError("--service is the name of an entry of pg_service.conf");
    }
    return service.empty() ? conninfo : "service=" + service;
}

} // namespace tenancy::sidecar
