// tenancyd status: tenancy.status_report() and what this host does, for people or as JSON.
#include <iostream>

#include <nlohmann/json.hpp>

#include "command/commands.hpp"
#include "command/host_state.hpp"
#include "command/status_text.hpp"
#include "config/config.hpp"
#include "postgres/connection.hpp"

namespace tenancy::sidecar {

Exit status(const ConfigFile& file, bool json) {
    const Config config = read_config(file);
    Connection connection(config.postgres, config.postgres.conninfo, "tenancyd status",
                          ServerRole::any);
    const Rows rows = connection.execute("SELECT tenancy.status_report()");
    auto report = nlohmann::json::parse(rows.rows.at(0).at(0).value_or("{}"));
    report["host"] = host_state(config, report.value("instance", nlohmann::json::object()));
    std::cout << (json ? report.dump(2) + '\n' : status_text(report));
    return Exit::done;
}

} // namespace tenancy::sidecar
