// The HTTP server for probes and metrics. Small on purpose: a few threads, small requests, short
// time limits, GET only.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/deadline.hpp"

namespace tenancy::sidecar {

struct HttpAnswer {
    int status = 200;
    std::string type = "text/plain; charset=utf-8";
    std::string body;
};

struct HttpPath {
    std::string path;
    std::function<HttpAnswer()> answer; // called by several threads at once
};

// Asks whoever listens there, as the server below; nothing when it does not answer in time.
[[nodiscard]] std::optional<HttpAnswer> http_get(const std::string& listen, const std::string& path,
                                                 Milliseconds limit);

class HttpServer {
public:
    // Listens on host:port at once. Throws ConfigError when the address is taken or not this
    // machine's.
    HttpServer(const std::string& listen, const std::vector<HttpPath>& paths);
    // Ends what is being answered, which takes no longer than the few seconds of an exchange, and
    // as long again for each round of those that wait in the queue.
    ~HttpServer();
    HttpServer(const HttpServer&) = delete;
    HttpServer& operator=(const HttpServer&) = delete;

private:
    struct State;
    std::unique_ptr<State> state_;
};

} // namespace tenancy::sidecar
