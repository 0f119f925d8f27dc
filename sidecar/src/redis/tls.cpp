#include "redis/tls.hpp"

#include <algorithm>
#include <climits>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/failure.hpp"
#include "base/resolve.hpp"

namespace tenancy::sidecar::redis {
namespace {

// OpenSSL's own socket BIO writes without MSG_NOSIGNAL; this one goes through Socket. No exception
// may pass through OpenSSL: a lost connection is an error without a text, told by the session.
template <typename Move>
int move_bytes(BIO* bio, Move move) {
    BIO_clear_retry_flags(bio);
    try {
        const std::optional<std::size_t> moved =
            move(*static_cast<const Socket*>(BIO_get_data(bio)));
        if (moved) {
            return static_cast<int>(*moved);
        }
    } catch (const Unavailable&) {
        return -1;
    }
    return -2;
}

int bio_write(BIO* bio, const char* bytes, int size) {
    const int moved = move_bytes(bio, [&](const Socket& socket) {
        return socket.try_send({bytes, static_cast<std::size_t>(size)});
    });
    if (moved == -2) {
        BIO_set_retry_write(bio);
    }
    return std::max(moved, -1);
}

int bio_read(BIO* bio, char* space, int size) {
    const int moved = move_bytes(bio, [&](const Socket& socket) {
        return socket.try_receive({space, static_cast<std::size_t>(size)});
    });
    if (moved == -2) {
        BIO_set_retry_read(bio);
    }
    return std::max(moved, -1);
}

long bio_control(BIO*, int command, long, void*) {
    return command == BIO_CTRL_FLUSH ? 1 : 0;
}

BIO_METHOD* make_method() {
    BIO_METHOD* method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "tenancy socket");
    if (method != nullptr) {
        BIO_meth_set_write(method, bio_write);
        BIO_meth_set_read(method, bio_read);
        BIO_meth_set_ctrl(method, bio_control);
    }
    return method;
}

BIO* bio_over(const Socket& socket) {
    static BIO_METHOD* method = make_method();
    BIO* bio = method != nullptr ? BIO_new(method) : nullptr;
    if (bio == nullptr) {
        throw std::bad_alloc();
    }
    BIO_set_data(bio,
                 const_cast<Socket*>(&socket)); // NOLINT(cppcoreguidelines-pro-type-const-cast)
    BIO_set_init(bio, 1);
    return bio;
}

std::string last_error() {
    const unsigned long code = ERR_peek_last_error();
    const char* reason = ERR_reason_error_string(code);
    ERR_clear_error();
    return reason != nullptr ? reason : "unknown error";
}

void load_authorities(SSL_CTX* context, const TlsConfig& config) {
    const bool loaded = config.ca_file.empty()
                            ? SSL_CTX_set_default_verify_paths(context) == 1
                            : SSL_CTX_load_verify_file(context, config.ca_file.c_str()) == 1;
    if (!loaded) {
        throw ConfigError("cannot read the authorities in " + config.ca_file + ": " + last_error());
    }
}

void load_certificate(SSL_CTX* context, const TlsConfig& config) {
    if (config.cert_file.empty()) {
        return;
    }
    // A key with a passphrase fails here instead of asking on the terminal.
    SSL_CTX_set_default_passwd_cb(context, [](char*, int, int, void*) { return 0; });
    if (SSL_CTX_use_certificate_chain_file(context, config.cert_file.c_str()) != 1) {
        throw ConfigError("cannot use the certificate " + config.cert_file + ": " + last_error());
    }
    const std::string& key = config.key_file.empty() ? config.cert_file : config.key_file;
    if (SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(context) != 1) {
        throw ConfigError("cannot use the key " + key + ": " + last_error());
    }
}

} // namespace

TlsContext::TlsContext(const TlsConfig& config)
    : context_(SSL_CTX_new(TLS_client_method()), SSL_CTX_free), server_name_(config.server_name) {
    if (!context_) {
        throw ConfigError("no TLS: " + last_error());
    }
    SSL_CTX_set_min_proto_version(context_.get(), TLS1_2_VERSION);
    SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_mode(context_.get(), SSL_MODE_AUTO_RETRY | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                         SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    load_authorities(context_.get(), config);
    load_certificate(context_.get(), config);
}

std::string TlsContext::name_for(const std::string& host) const {
    return server_name_.empty() ? host : server_name_;
}

TlsSession::TlsSession(const TlsContext& context, const Socket& socket, const std::string& host,
                       Deadline deadline)
    : socket_(socket), ssl_(SSL_new(context.get()), SSL_free) {
    if (!ssl_) {
        throw std::bad_alloc();
    }
    expect_name(context.name_for(host));
    BIO* bio = bio_over(socket);
    SSL_set_bio(ssl_.get(), bio, bio);
    ERR_clear_error();
    for (int done = SSL_connect(ssl_.get()); done != 1; done = SSL_connect(ssl_.get())) {
        wait_or_throw(done, deadline, "the TLS handshake");
    }
}

void TlsSession::expect_name(const std::string& name) {
    bool set = false;
    if (is_numeric(name)) {
        set = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl_.get()), name.c_str()) == 1;
    } else {
        SSL_set_hostflags(ssl_.get(), X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
        set = SSL_set1_host(ssl_.get(), name.c_str()) == 1 &&
              SSL_set_tlsext_host_name(ssl_.get(), name.c_str()) == 1;
    }
    if (!set) {
        throw Unavailable("TlsFailed", "the name " + name + " cannot be verified");
    }
}

void TlsSession::wait_or_throw(int result, Deadline deadline, const char* doing) {
    switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
        return socket_.wait_to_receive(deadline);
    case SSL_ERROR_WANT_WRITE:
        return socket_.wait_to_send(deadline);
    case SSL_ERROR_SSL: {
        const long verified = SSL_get_verify_result(ssl_.get());
        throw Unavailable(
            "TlsFailed",
            std::string(doing) + " with " + socket_.peer() + " failed: " +
                (verified != X509_V_OK ? X509_verify_cert_error_string(verified) : last_error()));
    }
    default:
        ERR_clear_error();
        throw Unavailable("ConnectionLost",
                          socket_.peer() + " closed the connection during " + doing);
    }
}

std::size_t TlsSession::write(std::string_view bytes, Deadline deadline) {
    ERR_clear_error();
    while (true) {
        const int size = static_cast<int>(std::min<std::size_t>(bytes.size(), INT_MAX));
        const int written = SSL_write(ssl_.get(), bytes.data(), size);
        if (written > 0) {
            return static_cast<std::size_t>(written);
        }
        wait_or_throw(written, deadline, "sending");
    }
}

std::size_t TlsSession::read(std::span<char> space, Deadline deadline) {
    ERR_clear_error();
    while (true) {
        const int size = static_cast<int>(std::min<std::size_t>(space.size(), INT_MAX));
        const int got = SSL_read(ssl_.get(), space.data(), size);
        if (got > 0) {
            return static_cast<std::size_t>(got);
        }
        if (SSL_get_error(ssl_.get(), got) == SSL_ERROR_ZERO_RETURN) {
            return 0;
        }
        wait_or_throw(got, deadline, "receiving");
    }
}

} // namespace tenancy::sidecar::redis
