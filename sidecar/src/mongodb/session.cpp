#include "mongodb/session.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace tenancy::sidecar::mongodb {
namespace {

// The driver rounds what is left of a time limit down, once for each time it waits.
constexpr Milliseconds rounding{5};

// The driver's global state, made with the first session.
struct Driver {
    Driver() {
        mongoc_init();
        // What goes wrong is in the errors; other lines have no place between those of log().
        mongoc_log_set_handler(nullptr, nullptr);
    }
    ~Driver() { mongoc_cleanup(); }
};

void use_driver() {
    static const Driver driver;
}

struct Reply {
    Reply() = default;
    ~Reply() { bson_destroy(&bson); }
    Reply(const Reply&) = delete;
    Reply& operator=(const Reply&) = delete;

    bson_t bson = BSON_INITIALIZER;
};

Target target_of(const StoreConfig& config) {
    use_driver();
    return make_target(config);
}

void throw_first_write_error(const OrderedJson& reply) {
    const auto errors = reply.find("writeErrors");
    if (errors != reply.end() && errors->is_array() && !errors->empty()) {
        const auto& first = errors->front();
        throw_server_error(static_cast<int>(integer_at(first, "code", 0)),
                           text_at(first, "errmsg"));
    }
    const auto concern = reply.find("writeConcernError");
    if (concern != reply.end() && concern->is_object()) {
        throw Unavailable("NotDurable",
                          "MongoDB: no majority of its members confirmed the write: " +
                              text_at(*concern, "errmsg"));
    }
}

Unavailable malformed_list() {
    return {"ProtocolError", "MongoDB: a list was answered without a cursor of documents"};
}

} // namespace

Session::Session(const StoreConfig& config)
    : connect_timeout_(config.connect_timeout), operation_timeout_(config.operation_timeout),
      target_(target_of(config)), tls_(config.tls, target_.tls),
      limit_(Deadline::in(Milliseconds::zero())) {}

Session::~Session() {
    drop_client();
}

// The driver says goodbye to the server when a client is destroyed, which is not waited for.
void Session::drop_client() {
    limit_ = Deadline::in(Milliseconds::zero());
    client_.reset();
}

mongoc_stream_t* Session::make_stream(const mongoc_uri_t*, const mongoc_host_list_t* host,
                                      void* session, bson_error_t* error) {
    auto* self = static_cast<Session*>(session);
    if (self->fixed_ && self->connections_ > 0) {
        bson_set_error(error, MONGOC_ERROR_STREAM, MONGOC_ERROR_STREAM_NOT_ESTABLISHED,
                       "the connection was lost");
        return nullptr;
    }
    const auto by = self->limit_.sooner(Deadline::in(self->connect_timeout_));
    mongoc_stream_t* stream = dial(*host, self->tls_, by, &self->limit_, error);
    if (stream != nullptr) {
        ++self->connections_;
    }
    return stream;
}

mongoc_client_t* Session::client() {
    if (!client_) {
        connect();
    }
    return client_.get();
}

void Session::connect() {
    // The driver's first exchange with a server has a time limit of its own.
    const auto timeout = std::min(connect_timeout_, limit_.left());
    mongoc_uri_set_option_as_int32(target_.uri.get(), MONGOC_URI_CONNECTTIMEOUTMS,
                                   std::max<std::int32_t>(1, static_cast<int>(timeout.count())));
    bson_error_t error{};
    client_.reset(mongoc_client_new_from_uri_with_error(target_.uri.get(), &error));
    if (!client_) {
        throw Unavailable("Unreachable", "MongoDB: " + std::string(error.message));
    }
    mongoc_client_set_error_api(client_.get(), MONGOC_ERROR_API_VERSION_2);
    mongoc_client_set_stream_initiator(client_.get(), make_stream, this);
}

OrderedJson Session::send(const std::string& database, const Document& command) {
    mongoc_client_t* const sender = client();
    Reply reply;
    bson_error_t error{};
    const bool done = mongoc_client_command_with_opts(sender, database.c_str(), command.get(),
                                                      nullptr, nullptr, &reply.bson, &error);
    if (!done) {
        throw_error(error, limit_.left() <= rounding);
    }
    OrderedJson read = to_json(reply.bson);
    throw_first_write_error(read);
    return read;
}

OrderedJson Session::send_or_drop(const std::string& database, const Document& command) {
    try {
        return send(database, command);
    } catch (const Unavailable&) {
        drop_client();
        throw;
    }
}

OrderedJson Session::run(const std::string& database, Document command, Deadline deadline,
                         Patience patience) {
    if (deadline.passed()) {
        throw Unavailable("TimedOut", "MongoDB: the time for this was over before it began");
    }
    limit_ =
        patience == Patience::whole ? deadline : deadline.sooner(Deadline::in(operation_timeout_));
    // The server gives up no later than this side, except within a cursor, where it may not be
    // told.
    if (!command.has("getMore")) {
        command.integer("maxTimeMS", std::clamp<std::int64_t>(limit_.left().count(), 1, INT32_MAX));
    }
    return send_or_drop(database, command);
}

OrderedJson Session::write(const std::string& database, Document command, Deadline deadline,
                           Patience patience) {
    const auto wait = std::min(operation_timeout_, deadline.left());
    Document concern;
    concern.text("w", "majority").integer("wtimeout", std::max<std::int64_t>(1, wait.count()));
    command.document("writeConcern", concern);
    return run(database, std::move(command), deadline, patience);
}

std::vector<OrderedJson> Session::list(const std::string& database, Document command,
                                       Deadline deadline) {
    std::vector<OrderedJson> all;
    OrderedJson reply = run(database, std::move(command), deadline);
    for (const char* batch = "firstBatch";; batch = "nextBatch") {
        const auto cursor = reply.find("cursor");
        if (cursor == reply.end() || !cursor->contains(batch) || !(*cursor)[batch].is_array()) {
            throw malformed_list();
        }
        for (auto& document : (*cursor)[batch]) {
            if (!document.is_object()) {
                throw malformed_list();
            }
            all.push_back(std::move(document));
        }
        const auto id = integer_at(*cursor, "id", 0);
        if (id == 0) {
            return all;
        }
        const std::string space = text_at(*cursor, "ns");
        Document more;
        more.integer("getMore", id).text("collection", space.substr(space.find('.') + 1));
        reply = run(database, std::move(more), deadline);
    }
}

} // namespace tenancy::sidecar::mongodb
