#include "service/http.hpp"

#include <atomic>
#include <charconv>
#include <thread>

#include "base/log.hpp"
#include "config/config.hpp"
#include "service/bounded_connection.hpp"
#include "service/bounded_pool.hpp"

namespace tenancy::sidecar {
namespace {

constexpr std::size_t threads = 8;
constexpr std::size_t queued = 32;
constexpr std::size_t largest_request = 8192;
constexpr std::size_t largest_head = 8192; // the request's line and headers
constexpr Milliseconds longest_exchange{2000};

struct Address {
    std::string host;
    int port = 0;
};

Address split(const std::string& listen) {
    const auto colon = listen.rfind(':');
    Address address{listen.substr(0, colon), 0};
    std::from_chars(listen.data() + colon + 1, listen.data() + listen.size(), address.port);
    if (address.host.starts_with('[')) {
        address.host = address.host.substr(1, address.host.size() - 2);
    }
    return address;
}

void limit(httplib::Server& server) {
    // Without the library's SO_REUSEPORT, which lets two daemons share a port unnoticed.
    server.set_socket_options([](socket_t socket) {
        const int yes = 1;
        setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    });
    server.new_task_queue = [] { return new BoundedPool(threads, queued); };
    server.set_payload_max_length(largest_request);
}

// One request for each connection: who keeps it open would keep a thread.
class BoundedServer : public httplib::Server {
private:
    bool process_and_close_socket(int socket) override {
        BoundedConnection connection(socket, largest_head + largest_request,
                                     Deadline::in(longest_exchange));
        return process(*this, connection);
    }

    // Newer versions of the library (Debian 13) want the addresses of both ends. Nobody is told
    // apart by his.
    template <typename Server>
    static bool process(Server& server, httplib::Stream& connection) {
        bool closed = false;
        if constexpr (requires { server.process_request(connection, true, closed, nullptr); }) {
            return server.process_request(connection, true, closed, nullptr);
        } else {
            return server.process_request(connection, "", 0, "", 0, true, closed, nullptr);
        }
    }
};

} // namespace

std::optional<HttpAnswer> http_get(const std::string& listen, const std::string& path,
                                   Milliseconds limit) {
    const Address address = split(listen);
    httplib::Client client(address.host, address.port);
    client.set_connection_timeout(limit);
    client.set_read_timeout(limit);
    client.set_write_timeout(limit);
    const auto answer = client.Get(path);
    if (!answer) {
        return std::nullopt;
    }
    return HttpAnswer{answer->status, answer->get_header_value("Content-Type"), answer->body};
}

struct HttpServer::State {
    BoundedServer server;
    std::atomic<bool> ended = false;
    std::thread thread;
};

HttpServer::HttpServer(const std::string& listen, const std::vector<HttpPath>& paths)
    : state_(std::make_unique<State>()) {
    httplib::Server& server = state_->server;
    limit(server);
    for (const HttpPath& path : paths) {
        server.Get(path.path, [answer = path.answer](const auto&, httplib::Response& response) {
            const HttpAnswer answered = answer();
            response.status = answered.status;
            response.set_header("Cache-Control", "no-store");
            response.set_content(answered.body, answered.type);
        });
    }
    server.set_exception_handler([](const auto&, auto& response, const std::exception_ptr&) {
        log(Level::error, "http_answer_failed");
        response.status = 500;
    });
    const Address address = split(listen);
    if (!server.bind_to_port(address.host, address.port)) {
        throw ConfigError("cannot listen on " + listen +
                          "; choose another [http] listen, or \"\" for no HTTP server");
    }
    state_->thread = std::thread([state = state_.get()] {
        state->server.listen_after_bind();
        state->ended = true;
    });
}

HttpServer::~HttpServer() {
    // stop() does nothing before the thread has begun to listen.
    while (!state_->server.is_running() && !state_->ended) {
        std::this_thread::yield();
    }
    state_->server.stop();
    state_->thread.join();
}

} // namespace tenancy::sidecar
