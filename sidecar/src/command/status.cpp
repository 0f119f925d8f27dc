// tenancyd status: tenancy.status_report() for people, or as it is.
#include <iostream>

#include "command/commands.hpp"
#include "command/status_text.hpp"
#include "config/config.hpp"
#include "postgres/connection.hpp"

namespace tenancy::sidecar {

Exit status(const ConfigFile& file, bool json) {
    const Config config = read_config(file);
    Connection connection(config.postgres, config.postgres.conninfo, "tenancyd status",
                          ServerRole::any);
    const Rows rows = connection.execute("SELECT tenancy.status_report()");
    const auto report = nlohmann::json::parse(rows.rows.at(0).at(0).value_or("{}"));
    std::cout << (json ? report.dump(2) + '\n' : status_text(report));
    return Exit::done;
}

} // namespace tenancy::sidecar
