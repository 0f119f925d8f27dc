// tenancyd forget-store: the audited way out when a store is gone for good.
#include <iostream>

#include "command/commands.hpp"
#include "command/terminal.hpp"
#include "postgres/connection.hpp"

namespace tenancy::sidecar {
namespace {

struct Leftovers {
    std::string tenants;  // not proven gone from the store
    std::string unproven; // of them, erased or being erased
};

Leftovers leftovers_of(Connection& connection, const std::string& store) {
    const Rows rows = connection.execute(
        "SELECT pg_catalog.count(*), pg_catalog.count(*) FILTER (WHERE "
        "t.state IN ('erasing', 'erased')) "
        "FROM tenancy.tenant_store AS s JOIN tenancy.tenant AS t ON t.id = s.tenant_id "
        "WHERE s.store = $1 AND s.erased_at IS NULL",
        {store});
    return {rows.rows.at(0).at(0).value_or("0"), rows.rows.at(0).at(1).value_or("0")};
}

} // namespace

Exit forget_store(const ForgetOptions& options) {
    Connection connection(PostgresConfig{}, options.login.target(), "tenancyd forget-store");
    const Leftovers left = leftovers_of(connection, options.store);
    std::cout << "Of " << left.tenants << " tenants it is not proven that store " << options.store
              << " is empty; " << left.unproven << " of them are erased or being erased.\n"
              << "Forgotten, the store is neither written to nor waited for. What is in it stays "
                 "there,\nand the audit trail keeps whose absence was not proven.\n\n"
              << std::flush;
    if (!options.yes && !confirmed("Forget store " + options.store + "?")) {
        std::cout << "Nothing was changed.\n";
        return Exit::failed;
    }
    const Rows rows =
        connection.execute("SELECT tenancy.forget_store($1, $2)", {options.store, options.reason});
    std::cout
        << "Forgotten. Not proven gone from it: " << rows.rows.at(0).at(0).value_or("0")
        << " tenants.\nTake [stores." << options.store
        << "] out of every tenancyd.toml, and restart each daemon: systemctl restart tenancyd\n";
    return Exit::done;
}

} // namespace tenancy::sidecar
