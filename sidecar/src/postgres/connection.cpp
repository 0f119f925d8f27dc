#include "postgres/connection.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include <cerrno>
#include <poll.h>

#include <libpq-fe.h>

namespace tenancy::sidecar {
namespace {

constexpr std::size_t most_notices = 1000;

// How much longer than the server's own statement_timeout its answer is awaited.
constexpr Milliseconds grace{1000};

using Connected = std::unique_ptr<PGconn, decltype(&PQfinish)>;
using Answer = std::unique_ptr<PGresult, decltype(&PQclear)>;

std::string trimmed(const char* text) {
    std::string line = text != nullptr ? text : "";
    line.erase(line.find_last_not_of(" \n") + 1);
    return line;
}

std::string field_of(const PGresult* result, int code) {
    return trimmed(PQresultErrorField(result, code));
}

int poll_timeout(const std::optional<Deadline>& deadline) {
    return deadline ? static_cast<int>(std::min<std::int64_t>(deadline->left().count(), 3600000))
                    : -1;
}

// Whether the server is going away, or cannot be talked to now, rather than refusing what was said.
bool means_unavailable(const std::string& sqlstate, ServerRole role) {
    return sqlstate.empty() || sqlstate.starts_with("57P") || sqlstate.starts_with("08") ||
           sqlstate == "57014" || sqlstate == "53300" ||
           (sqlstate == "25006" && role == ServerRole::primary);
}

Rows read_rows(const PGresult* result) {
    Rows read;
    read.command = trimmed(PQcmdStatus(const_cast<PGresult*>(result)));
    const int columns = PQnfields(result);
    for (int column = 0; column < columns; ++column) {
        read.columns.emplace_back(PQfname(result, column));
    }
    const int rows = PQntuples(result);
    read.rows.reserve(static_cast<std::size_t>(rows));
    for (int row = 0; row < rows; ++row) {
        auto& fields = read.rows.emplace_back();
        fields.reserve(static_cast<std::size_t>(columns));
        for (int column = 0; column < columns; ++column) {
            fields.push_back(PQgetisnull(result, row, column) != 0
                                 ? Field{}
                                 : Field{std::string(PQgetvalue(result, row, column),
                                                     static_cast<std::size_t>(
                                                         PQgetlength(result, row, column)))});
        }
    }
    return read;
}

} // namespace

const Field& Rows::at(std::size_t row, std::string_view column) const {
    const auto found = std::find(columns.begin(), columns.end(), column);
    if (found == columns.end()) {
        throw std::out_of_range("the answer has no column " + std::string(column));
    }
    return rows.at(row).at(static_cast<std::size_t>(found - columns.begin()));
}

struct Connection::State {
    PostgresConfig config;
    ServerRole role = ServerRole::primary;
    std::vector<Keywords> attempts;
    std::size_t next_attempt = 0; // the host that answered last
    std::uint64_t number = 0;
    std::string opening; // the statement that every session begins with, if any
    std::vector<Field> opening_parameters;
    std::vector<std::string> channels;
    std::vector<std::string> notices;
    std::optional<Milliseconds> session_limit; // statement_timeout of the session, where known
    Connected connection{nullptr, PQfinish};

    [[noreturn]] void give_up(const std::string& reason, std::string message);
    void wait(short events, const std::optional<Deadline>& deadline);
    void ensure_connected();
    void connect(const Keywords& keywords, Deadline deadline);
    void begin_session(Deadline deadline);
    void set_limit(std::optional<Milliseconds> limit, Deadline deadline);
    void flush(const std::optional<Deadline>& deadline);
    Answer next_answer(const std::optional<Deadline>& deadline);
    Rows take_answer(const std::optional<Deadline>& deadline);
    Rows run(std::string_view sql, const std::vector<Field>& parameters,
             const std::optional<Deadline>& deadline);
    [[noreturn]] void refuse(const Answer& answer);
    std::vector<std::string> take_notifications();
    std::string without_password(std::string message) const;
};

std::string Connection::State::without_password(std::string message) const {
    const auto& secret = config.password;
    for (auto at = message.find(secret); !secret.empty() && at != std::string::npos;
         at = message.find(secret)) {
        message.replace(at, secret.size(), "");
    }
    return message;
}

void Connection::State::give_up(const std::string& reason, std::string message) {
    if (message.empty()) {
        message = "the connection was lost";
    }
    message = without_password(std::move(message));
    connection.reset();
    throw Unavailable(reason, "postgresql: " + message);
}

// No PQcancel when the time is up: it has no time limit of its own, and the server has been told
// the limit (statement_timeout) and to notice that we are gone (client_connection_check_interval).
void Connection::State::wait(short events, const std::optional<Deadline>& deadline) {
    pollfd polled{PQsocket(connection.get()), events, 0};
    int ready = 0;
    do {
        if (deadline && deadline->passed()) {
            give_up("TimedOut", "no answer in time");
        }
        ready = poll(&polled, 1, poll_timeout(deadline));
    } while (ready == 0 || (ready < 0 && errno == EINTR));
    if (ready < 0) {
        give_up("Unreachable", std::string("poll: ") + std::strerror(errno)); // NOLINT
    }
}

void Connection::State::ensure_connected() {
    if (connection && PQstatus(connection.get()) == CONNECTION_OK) {
        return;
    }
    for (std::size_t tried = 1;; ++tried) {
        try {
            connect(attempts[next_attempt], Deadline::in(config.connect_timeout));
            return;
        } catch (const Unavailable&) {
            next_attempt = (next_attempt + 1) % attempts.size();
            if (tried == attempts.size()) {
                throw;
            }
        }
    }
}

void Connection::State::connect(const Keywords& keywords, Deadline deadline) {
    std::vector<const char*> names;
    std::vector<const char*> values;
    for (const auto& [name, value] : keywords) {
        names.push_back(name.c_str());
        values.push_back(value.c_str());
    }
    names.push_back(nullptr);
    values.push_back(nullptr);
    connection.reset(PQconnectStartParams(names.data(), values.data(), 0));
    if (!connection || PQstatus(connection.get()) == CONNECTION_BAD) {
        give_up("Unreachable",
                connection ? trimmed(PQerrorMessage(connection.get())) : "no memory");
    }
    auto step = PGRES_POLLING_WRITING;
    while (step != PGRES_POLLING_OK) {
        wait(step == PGRES_POLLING_READING ? POLLIN : POLLOUT, deadline);
        step = PQconnectPoll(connection.get());
        if (step == PGRES_POLLING_FAILED) {
            give_up("Unreachable", trimmed(PQerrorMessage(connection.get())));
        }
    }
    try {
        begin_session(deadline);
    } catch (...) {
        connection.reset(); // without all of it there is no session
        throw;
    }
}

void Connection::State::begin_session(Deadline deadline) {
    ++number;
    session_limit.reset();
    PQsetnonblocking(connection.get(), 1);
    PQsetNoticeProcessor(
        connection.get(),
        [](void* kept, const char* message) {
            auto& notices = *static_cast<std::vector<std::string>*>(kept);
            if (notices.size() == most_notices) {
                notices.erase(notices.begin());
            }
            notices.push_back(trimmed(message));
        },
        &notices);
    // No function or operator of a schema that others may write to is ever meant.
    run("SELECT pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', false), "
        "pg_catalog.set_config('client_connection_check_interval', '2s', false)",
        {}, deadline);
    if (!opening.empty()) {
        run(opening, opening_parameters, deadline);
    }
    for (const auto& channel : channels) {
        const std::unique_ptr<char, decltype(&PQfreemem)> name(
            PQescapeIdentifier(connection.get(), channel.c_str(), channel.size()), PQfreemem);
        run(std::string("LISTEN ") + name.get(), {}, deadline);
    }
}

// PostgreSQL's 0 means no limit, so the limit of nothing is told as 0 too.
void Connection::State::set_limit(std::optional<Milliseconds> limit, Deadline deadline) {
    const auto wanted = limit.value_or(Milliseconds::zero());
    const auto status = PQtransactionStatus(connection.get());
    if (session_limit == wanted || status == PQTRANS_INERROR) {
        return;
    }
    run("SELECT pg_catalog.set_config('statement_timeout', $1, false)",
        {std::to_string(wanted.count())}, deadline);
    // Set in a transaction, it goes back when that one is rolled back.
    session_limit = status == PQTRANS_IDLE ? std::optional(wanted) : std::nullopt;
}

void Connection::State::flush(const std::optional<Deadline>& deadline) {
    for (;;) {
        const int pending = PQflush(connection.get());
        if (pending == 0) {
            return;
        }
        if (pending < 0) {
            give_up("Unreachable", trimmed(PQerrorMessage(connection.get())));
        }
        wait(POLLIN | POLLOUT, deadline);
        if (PQconsumeInput(connection.get()) == 0) {
            give_up("Unreachable", trimmed(PQerrorMessage(connection.get())));
        }
    }
}

Answer Connection::State::next_answer(const std::optional<Deadline>& deadline) {
    while (PQisBusy(connection.get()) != 0) {
        wait(POLLIN, deadline);
        if (PQconsumeInput(connection.get()) == 0) {
            give_up("Unreachable", trimmed(PQerrorMessage(connection.get())));
        }
    }
    return {PQgetResult(connection.get()), PQclear};
}

Rows Connection::State::take_answer(const std::optional<Deadline>& deadline) {
    Answer answer = next_answer(deadline);
    if (!answer) {
        give_up("Unreachable", trimmed(PQerrorMessage(connection.get())));
    }
    const auto status = PQresultStatus(answer.get());
    if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH) {
        connection.reset();
        throw SqlError("0A000", "COPY is not supported here", "", "");
    }
    while (next_answer(deadline)) {
        // An error is followed by the end of the statement; so is everything else.
    }
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK && status != PGRES_EMPTY_QUERY) {
        refuse(answer);
    }
    return read_rows(answer.get());
}

void Connection::State::refuse(const Answer& answer) {
    auto sqlstate = field_of(answer.get(), PG_DIAG_SQLSTATE);
    auto message = field_of(answer.get(), PG_DIAG_MESSAGE_PRIMARY);
    if (means_unavailable(sqlstate, role)) {
        if (message.empty()) {
            message = trimmed(PQresultErrorMessage(answer.get()));
        }
        give_up(sqlstate == "57014" ? "TimedOut" : "Unreachable", std::move(message));
    }
    session_limit.reset();
    throw SqlError(std::move(sqlstate), without_password(std::move(message)),
                   without_password(field_of(answer.get(), PG_DIAG_MESSAGE_DETAIL)),
                   without_password(field_of(answer.get(), PG_DIAG_MESSAGE_HINT)));
}

Rows Connection::State::run(std::string_view sql, const std::vector<Field>& parameters,
                            const std::optional<Deadline>& deadline) {
    std::vector<const char*> values;
    values.reserve(parameters.size());
    for (const auto& parameter : parameters) {
        values.push_back(parameter ? parameter->c_str() : nullptr);
    }
    const std::string text(sql);
    if (PQsendQueryParams(connection.get(), text.c_str(), static_cast<int>(values.size()), nullptr,
                          values.data(), nullptr, nullptr, 0) == 0) {
        give_up("Unreachable", trimmed(PQerrorMessage(connection.get())));
    }
    flush(deadline);
    return take_answer(deadline);
}

std::vector<std::string> Connection::State::take_notifications() {
    std::vector<std::string> payloads;
    for (;;) {
        const std::unique_ptr<PGnotify, decltype(&PQfreemem)> notification(
            PQnotifies(connection.get()), PQfreemem);
        if (!notification) {
            return payloads;
        }
        payloads.emplace_back(notification->extra);
    }
}

Connection::Connection(const PostgresConfig& config, const std::string& target,
                       const std::string& application_name, ServerRole role)
    : state_(std::make_unique<State>()) {
    state_->config = config;
    state_->role = role;
    state_->attempts = connection_attempts(target, config, application_name, role);
}

Connection::~Connection() = default;

Rows Connection::execute(std::string_view sql, const std::vector<Field>& parameters) {
    return execute_within(sql, parameters, state_->config.statement_timeout);
}

Rows Connection::execute_within(std::string_view sql, const std::vector<Field>& parameters,
                                std::optional<Milliseconds> limit) {
    state_->ensure_connected();
    state_->set_limit(limit, Deadline::in(state_->config.statement_timeout + grace));
    const auto deadline = limit ? std::optional(Deadline::in(*limit + grace)) : std::nullopt;
    return state_->run(sql, parameters, deadline);
}

void Connection::open_with(std::string sql, std::vector<Field> parameters) {
    state_->opening = std::move(sql);
    state_->opening_parameters = std::move(parameters);
    disconnect();
}

void Connection::listen(std::string channel) {
    state_->channels.push_back(std::move(channel));
    disconnect(); // the next connection begins with LISTEN
}

std::vector<std::string> Connection::wait_for_notifications(Deadline deadline, int wake_fd) {
    state_->ensure_connected();
    for (;;) {
        auto* const connection = state_->connection.get();
        if (PQconsumeInput(connection) == 0) {
            state_->give_up("Unreachable", trimmed(PQerrorMessage(connection)));
        }
        auto payloads = state_->take_notifications();
        if (!payloads.empty() || deadline.passed()) {
            return payloads;
        }
        std::array<pollfd, 2> polled{pollfd{PQsocket(connection), POLLIN, 0},
                                     pollfd{wake_fd, POLLIN, 0}};
        if (poll(polled.data(), polled.size(), poll_timeout(deadline)) > 0 &&
            polled[1].revents != 0) {
            return {};
        }
    }
}

std::vector<std::string> Connection::take_notices() {
    return std::exchange(state_->notices, {});
}

std::uint64_t Connection::connection_number() const {
    return state_->number;
}

void Connection::disconnect() {
    state_->connection.reset();
}

} // namespace tenancy::sidecar
