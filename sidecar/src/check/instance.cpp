// Whether database and host are the instance that may write.
#include "base/failure.hpp"
#include "check/checks.hpp"
#include "command/next_step.hpp"
#include "postgres/connection.hpp"
#include "postgres/registry.hpp"
#include "reconcile/fence.hpp"
#include "reconcile/state_file.hpp"

namespace tenancy::sidecar {
namespace {

void tell_unbound(const Config& config, const std::optional<std::string>& stamped,
                  Findings& findings) {
    if (stamped) {
        findings.failed("instance",
                        "StoresStamped: the database belongs to no instance, and store " +
                            *stamped + " does; tenancyd makes no new one beside it",
                        step_for_stamped(config, *stamped));
    } else {
        findings.warning("instance", "the database has no instance yet",
                         "tenancyd run makes one when it starts");
    }
}

void tell(const Config& config, const InstanceIdentity& identity, const Verdict& verdict,
          const std::optional<std::string>& stamped, Findings& findings) {
    switch (verdict.step) {
    case Verdict::Step::write:
    case Verdict::Step::complete:
        findings.ok("instance",
                    print_uuid(identity.id) + ", epoch " + std::to_string(identity.epoch));
        return;
    case Verdict::Step::bind:
        tell_unbound(config, stamped, findings);
        return;
    case Verdict::Step::observe:
        findings.failed("instance", verdict.reason + ": " + verdict.message,
                        step_for_instance(config, verdict.reason));
        return;
    }
}

} // namespace

void check_instance(const Config& config, const std::optional<std::string>& stamped,
                    Findings& findings) {
    try {
        const auto registry = make_registry(config.postgres, config.daemon);
        const InstanceIdentity identity = registry->identity();
        const Verdict verdict = judge_identity(identity, read_state_file(config.state_directory));
        tell(config, identity, verdict, stamped, findings);
    } catch (const Unavailable&) {
        findings.failed("instance", "not known: no primary can be reached",
                        "first mend what is said of postgres above");
    } catch (const SqlError& error) {
        findings.failed("instance", error.what(), step_for_sql(error, "sidecar"));
    } catch (const StateFileError& error) {
        findings.failed("instance", error.what(),
                        "run check as root or as the user that tenancyd runs as; else " +
                            step_for_instance(config, "StateFileUnusable"));
    }
}

} // namespace tenancy::sidecar
