// A libpq connection whose every call has a time limit.
#pragma once

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "base/deadline.hpp"
#include "base/failure.hpp"
#include "config/config.hpp"
#include "postgres/conninfo.hpp"

struct pg_conn;

namespace tenancy::sidecar {

// The server's answer was an error. sqlstate has five characters.
class SqlError : public std::runtime_error {
public:
    SqlError(std::string sqlstate, const std::string& message, std::string detail, std::string hint)
        : std::runtime_error(message), sqlstate_(std::move(sqlstate)), detail_(std::move(detail)),
          hint_(std::move(hint)) {}

    [[nodiscard]] const std::string& sqlstate() const { return sqlstate_; }
    [[nodiscard]] const std::string& detail() const { return detail_; }
    [[nodiscard]] const std::string& hint() const { return hint_; }

private:
    std::string sqlstate_;
    std::string detail_;
    std::string hint_;
};

using Field = std::optional<std::string>; // SQL's NULL is nothing

struct Rows {
    std::vector<std::string> columns;
    std::vector<std::vector<Field>> rows;
    std::string command; // the command tag

    // The field of the named column; throws std::out_of_range when there is no such column.
    [[nodiscard]] const Field& at(std::size_t row, std::string_view column) const;
};

// Used by one thread at a time. Throws Unavailable when the server cannot be reached, does not
// answer within the statement timeout, goes away (57P0x included) or, where the primary was asked
// for, takes no writes any more; SqlError for every other error. No message holds the password.
class Connection {
public:
    // `target` is libpq's conninfo, config.conninfo as a rule; what it leaves open is filled in as
    // connection_attempts() says. Connects on first use, and again after it was lost; each host
    // has config.connect_timeout, and what libpq takes to resolve its name besides. search_path is
    // pg_catalog, pg_temp: statements name the schemas of all else. Throws ConfigError when the
    // target is not a conninfo.
    Connection(const PostgresConfig& config, const std::string& target,
               const std::string& application_name, ServerRole role = ServerRole::primary);
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    // One statement with text parameters ($1, ...), over the extended protocol. When the
    // connection turns out to be lost, it is not sent a second time: only the caller knows whether
    // that is safe.
    Rows execute(std::string_view sql, const std::vector<Field>& parameters = {});

    // As execute, with a limit of its own instead of the configuration's; nothing: no limit.
    Rows execute_within(std::string_view sql, const std::vector<Field>& parameters,
                        std::optional<Milliseconds> limit);

    // Every session begins with this statement, if any, from the next one on; the present one ends.
    // Where it is refused, whatever is called then throws that SqlError, and there is no session.
    void open_with(std::string sql, std::vector<Field> parameters);

    // LISTENs on the channel; again after every reconnection.
    void listen(std::string channel);
    // Waits for notifications of that channel until the deadline or until `wake_fd` is readable;
    // returns their payloads, none when it was one of the other two.
    std::vector<std::string> wait_for_notifications(Deadline deadline, int wake_fd);

    // NOTICE and WARNING messages since the last call, for commands that show progress. The oldest
    // are dropped beyond a thousand.
    std::vector<std::string> take_notices();

    // Counts up with every new connection, from 0: what a session had set is gone then.
    [[nodiscard]] std::uint64_t connection_number() const;

    void disconnect();

private:
    struct State;
    std::unique_ptr<State> state_;
};

} // namespace tenancy::sidecar
