// tenancyd check: everything that has to be in order before tenancyd runs, and stay so.
#include <iostream>

#include "check/checks.hpp"
#include "command/commands.hpp"
#include "config/conninfo.hpp"

namespace tenancy::sidecar {
namespace {

void require_usable(const CheckOptions& options, const Config& config) {
    const std::string objection = objection_to_conninfo(options.backup);
    if (!objection.empty()) {
        throw UsageError("--backup " + objection);
    }
    if (options.dump && options.backup.empty() && config.check.backup_conninfo.empty()) {
        throw UsageError("--dump needs the role that takes backups: --backup or [check] "
                         "backup_conninfo");
    }
}

} // namespace

Exit check(const CheckOptions& options) {
    const Config config = read_config(options.file);
    require_usable(options, config);
    Findings findings;
    findings.ok("configuration", options.file.string() + " can be used");
    check_nodes(config, findings);
    Findings stores;
    const std::optional<std::string> stamped = check_stores(config, stores);
    check_instance(config, stamped, findings);
    check_backup(config, options, findings);
    findings.append(stores);
    std::cout << (options.json ? findings.json() : findings.text());
    return findings.any_failed() ? Exit::failed : Exit::done;
}

} // namespace tenancy::sidecar
