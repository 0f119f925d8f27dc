#include "service/readiness.hpp"

#include <nlohmann/json.hpp>

#include "base/log.hpp"
#include "base/printable.hpp"

namespace tenancy::sidecar {

HttpAnswer readiness_answer(const Readiness& readiness) {
    nlohmann::ordered_json body{{"ready", readiness.ready},
                                {"observing", readiness.observing},
                                {"reasons", nlohmann::json::array()}};
    for (const std::string& reason : readiness.reasons) {
        body["reasons"].push_back(redact(reason));
    }
    return {readiness.ready ? 200 : 503, "application/json",
            body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + '\n'};
}

std::string readiness_status(const Readiness& readiness) {
    std::string text = !readiness.ready            ? "not ready"
                       : readiness.observing       ? "observing only"
                       : readiness.reasons.empty() ? "in step"
                                                   : "not all in step";
    const char* separator = ": ";
    for (const std::string& reason : readiness.reasons) {
        text += separator + printable(redact(reason)); // systemd reads each line as a message
        separator = "; ";
    }
    return text;
}

} // namespace tenancy::sidecar
