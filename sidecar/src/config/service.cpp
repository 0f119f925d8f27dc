// [http] and [log]: how tenancyd itself is watched.
#include "config/conninfo.hpp"
#include "config/tables.hpp"

namespace tenancy::sidecar {

HttpConfig read_http(const Section& section) {
    section.allow({"listen"});
    HttpConfig config;
    config.listen = section.text("listen", config.listen);
    const std::string objection = config.listen.empty() ? "" : objection_to_address(config.listen);
    if (!objection.empty()) {
        section.fail("listen", "listen " + objection + ", or empty for no HTTP server");
    }
    return config;
}

LogConfig read_log(const Section& section) {
    section.allow({"level"});
    LogConfig config;
    if (section.has("level")) {
        config.level = section.choice("level", {"info", "debug", "warning", "error"});
    }
    return config;
}

} // namespace tenancy::sidecar
