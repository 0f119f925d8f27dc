// Whether database and host are the instance that may write.
#include "base/failure.hpp"
#include "check/checks.hpp"
#include "postgres/connection.hpp"
#include "postgres/registry.hpp"
#include "reconcile/fence.hpp"
#include "reconcile/state_file.hpp"

namespace tenancy::sidecar {
namespace {

void tell(const InstanceIdentity& identity, const Verdict& verdict, Findings& findings) {
    switch (verdict.step) {
    case Verdict::Step::write:
    case Verdict::Step::complete:
        findings.ok("instance",
                    print_uuid(identity.id) + ", epoch " + std::to_string(identity.epoch));
        return;
    case Verdict::Step::bind:
        findings.warning("instance", "the database has no instance yet",
                         "tenancyd run makes one when it starts");
        return;
    case Verdict::Step::observe:
        findings.failed("instance", verdict.reason + ": " + verdict.message,
                        "until then tenancyd only observes");
        return;
    }
}

} // namespace

void check_instance(const Config& config, Findings& findings) {
    try {
        const auto registry = make_registry(config.postgres, config.daemon);
        const InstanceIdentity identity = registry->identity();
        tell(identity, judge_identity(identity, read_state_file(config.state_directory)), findings);
    } catch (const Unavailable&) {
        findings.failed("instance", "not known: the database cannot be reached", "see above");
    } catch (const SqlError& error) {
        findings.failed("instance", error.what(), "see above");
    } catch (const StateFileError& error) {
        findings.failed("instance", error.what(), "run check as the user that tenancyd runs as");
    }
}

} // namespace tenancy::sidecar
