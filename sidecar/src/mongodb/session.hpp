// A client of the driver, for one thread: runs commands, each within its time limit.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <mongoc/mongoc.h>

#include "base/deadline.hpp"
#include "base/failure.hpp"
#include "config/config.hpp"
#include "mongodb/dial.hpp"
#include "mongodb/document.hpp"
#include "mongodb/error.hpp"

namespace tenancy::sidecar::mongodb {

struct DestroyUri {
    void operator()(mongoc_uri_t* uri) const { mongoc_uri_destroy(uri); }
};

// The driver's form of the configuration's URI, credentials included. TLS is taken out of it, for
// dial() does that; `tls` says whether it is asked for.
struct Target {
    std::unique_ptr<mongoc_uri_t, DestroyUri> uri;
    bool tls = false;
};

// Throws ConfigError.
[[nodiscard]] Target make_target(const StoreConfig& config);

// Each function throws Unavailable, after which the next call connects anew, or CommandError.
class Session {
public:
    // Does not connect. Throws ConfigError.
    explicit Session(const StoreConfig& config);
    ~Session();
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    // How long a command may take: the configuration's operation timeout, or for building indexes
    // all that is left until the deadline. Never longer than that.
    enum class Patience : std::uint8_t { operation, whole };

    // Runs a command on the primary and returns the reply.
    OrderedJson run(const std::string& database, Document command, Deadline deadline,
                    Patience patience = Patience::operation);
    // As run, acknowledged by a majority of the members; the first of its write errors is thrown.
    OrderedJson write(const std::string& database, Document command, Deadline deadline,
                      Patience patience = Patience::operation);
    // All documents of the cursor that the command answers with.
    std::vector<OrderedJson> list(const std::string& database, Document command, Deadline deadline);

    // Counts connections made so far.
    [[nodiscard]] std::uint64_t connection_number() const { return connections_; }

    // While one of these lives, a connection that is lost is not replaced: what was verified of the
    // server before must not be taken for true of another one.
    class Fixed {
    public:
        explicit Fixed(Session& session) : session_(session) { session_.fixed_ = true; }
        ~Fixed() { session_.fixed_ = false; }
        Fixed(const Fixed&) = delete;
        Fixed& operator=(const Fixed&) = delete;

    private:
        Session& session_;
    };

private:
    struct DestroyClient {
        void operator()(mongoc_client_t* client) const { mongoc_client_destroy(client); }
    };
    mongoc_client_t* client();
    void connect();
    void drop_client();
    OrderedJson send(const std::string& database, const Document& command);
    OrderedJson send_or_drop(const std::string& database, const Document& command);
    static mongoc_stream_t* make_stream(const mongoc_uri_t*, const mongoc_host_list_t* host,
                                        void* session, bson_error_t* error);

    Milliseconds connect_timeout_;
    Milliseconds operation_timeout_;
    Target target_;
    TlsOptions tls_;
    Deadline limit_; // of the command in progress; the streams look at it
    std::uint64_t connections_ = 0;
    bool fixed_ = false;
    std::unique_ptr<mongoc_client_t, DestroyClient> client_;
};

} // namespace tenancy::sidecar::mongodb
