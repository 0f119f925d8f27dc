#include "command/host_state.hpp"

#include <stdexcept>

#include <nlohmann/json.hpp>

#include "command/next_step.hpp"
#include "reconcile/fence.hpp"
#include "reconcile/state_file.hpp"
#include "service/http.hpp"

namespace tenancy::sidecar {
namespace {

using nlohmann::json;

constexpr Milliseconds patience{2000};

// Where none is bound, what was bound is not there. Throws where it is not of its form.
InstanceIdentity identity_of(const json& instance) {
    InstanceIdentity identity;
    instance.at("bound").get_to(identity.bound);
    instance.at("in_recovery").get_to(identity.in_recovery);
    instance.at("live_system_identifier").get_to(identity.live_system_identifier);
    instance.at("live_database_oid").get_to(identity.live_database_oid);
    instance.at("live_timeline").get_to(identity.live_timeline);
    if (identity.bound) {
        const auto id = parse_uuid(instance.at("id").get<std::string>());
        if (!id) {
            throw std::invalid_argument("the id is not a uuid");
        }
        identity.id = *id;
        instance.at("epoch").get_to(identity.epoch);
        instance.at("bound_system_identifier").get_to(identity.bound_system_identifier);
        instance.at("bound_database_oid").get_to(identity.bound_database_oid);
        instance.at("bound_timeline").get_to(identity.bound_timeline);
    }
    return identity;
}

// /readyz of this host's daemon; null when it does not answer, or something else does.
json readiness_of(const std::string& listen) {
    const auto answer = http_get(listen, "/readyz", patience);
    json said = answer ? json::parse(answer->body, nullptr, false) : json();
    const bool sound = said.is_object() && said.value("observing", json()).is_boolean() &&
                       said.value("reasons", json()).is_array();
    return sound ? said : json();
}

void tell(json& host, const Config& config, const std::string& reason, const std::string& message) {
    host["observes"] = true;
    host["reason"] = reason;
    host["message"] = message;
    host["next_step"] = step_for_instance(config, reason);
}

// As the database and this host's memory have it; the daemon may not have seen that yet.
void judge(json& host, const Config& config, const json& instance) {
    try {
        const InstanceIdentity identity = identity_of(instance);
        if (identity.in_recovery) { // the daemon may have found the primary among the hosts
            host["message"] = "this server is a standby, which does not decide it";
            return;
        }
        const Verdict verdict = judge_identity(identity, read_state_file(config.state_directory));
        if (verdict.step == Verdict::Step::observe) {
            tell(host, config, verdict.reason, verdict.message);
        } else {
            host["observes"] = false;
        }
    } catch (const StateFileError& error) {
        host["message"] = error.what();
        host["next_step"] = "run tenancyd status as root or as the user that tenancyd runs as";
    } catch (const std::exception&) { // a report of another version
        host["message"] = "the database does not say what it is";
        host["next_step"] = "install the version of tenancyd that belongs to the extension";
    }
}

// "REASON: message", as the reconciler says it.
void listen_to(json& host, const Config& config, const json& said) {
    host["reasons"] = said.at("reasons");
    if (said.at("observing") == json(false)) {
        if (host["observes"].is_null()) {
            host["observes"] = false;
        }
        return;
    }
    const json& reasons = said.at("reasons");
    const std::string first =
        !reasons.empty() && reasons[0].is_string() ? reasons[0].get<std::string>() : "";
    const auto colon = first.find(": ");
    tell(host, config, first.substr(0, colon),
         colon == std::string::npos ? "" : first.substr(colon + 2));
}

} // namespace

json host_state(const Config& config, const json& instance) {
    json host{{"daemon", config.daemon}, {"answers", nullptr}, {"observes", nullptr},
              {"reason", nullptr},       {"message", nullptr}, {"next_step", nullptr},
              {"reasons", json::array()}};
    judge(host, config, instance);
    if (!config.http.listen.empty()) {
        const json said = readiness_of(config.http.listen);
        host["answers"] = !said.is_null();
        if (!said.is_null()) {
            listen_to(host, config, said);
        }
    }
    return host;
}

} // namespace tenancy::sidecar
