// TLS over a Socket: OpenSSL, the server's certificate and name always verified, nothing below
// TLS 1.2.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "config/config.hpp"
#include "redis/socket.hpp"

struct ssl_ctx_st;
struct ssl_st;

namespace tenancy::sidecar::redis {

// What the configuration says about TLS, read once.
class TlsContext {
public:
    // Throws ConfigError when a file cannot be used.
    explicit TlsContext(const TlsConfig& config);

    [[nodiscard]] ssl_ctx_st* get() const { return context_.get(); }
    // The name that a server's certificate must bear.
    [[nodiscard]] std::string name_for(const std::string& host) const;

private:
    std::shared_ptr<ssl_ctx_st> context_;
    std::string server_name_;
};

// A session over a socket, which has to outlive it. Every call throws Unavailable (TlsFailed,
// ConnectionLost, TimedOut).
class TlsSession {
public:
    // Shakes hands and verifies.
    TlsSession(const TlsContext& context, const Socket& socket, const std::string& host,
               Deadline deadline);

    // How many bytes were written or read; read gives 0 at the end.
    [[nodiscard]] std::size_t write(std::string_view bytes, Deadline deadline);
    [[nodiscard]] std::size_t read(std::span<char> space, Deadline deadline);

private:
    void expect_name(const std::string& name);
    // Waits for what the last call lacked, or throws.
    void wait_or_throw(int result, Deadline deadline, const char* doing);

    const Socket& socket_;
    std::unique_ptr<ssl_st, void (*)(ssl_st*)> ssl_;
};

} // namespace tenancy::sidecar::redis
