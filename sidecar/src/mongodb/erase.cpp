#include "mongodb/erase.hpp"

#include <nlohmann/json.hpp>

#include "mongodb/catalogue.hpp"
#include "store/store.hpp"

namespace tenancy::sidecar::mongodb {
namespace {

constexpr int rounds = 5;

void drop(Session& session, const std::string& database, Deadline deadline) {
    Document command;
    command.integer("dropDatabase", 1);
    try {
        session.write(database, std::move(command), deadline);
    } catch (const CommandError& error) {
        if (error.code() != code::namespace_not_found) {
            throw;
        }
    }
}

bool is_gone(Session& session, const std::string& database, Deadline deadline) {
    return list_collections(session, database, deadline).empty() &&
           databases_among(session, {database}, deadline).empty();
}

} // namespace

std::optional<Failure> erase_database(Session& session, const std::string& database,
                                      const std::function<bool()>& alive, Deadline deadline) {
    for (int round = 0; round < rounds; ++round) {
        if (!alive()) {
            return lease_lost();
        }
        drop(session, database, deadline);
        if (is_gone(session, database, deadline)) {
            return std::nullopt;
        }
    }
    return Failure{FailureKind::transient, "StillThere",
                   "database " + database + " is still there after it was dropped " +
                       std::to_string(rounds) + " times; stop whoever writes to it"};
}

} // namespace tenancy::sidecar::mongodb
