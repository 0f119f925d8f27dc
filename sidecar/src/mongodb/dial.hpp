// Connections to MongoDB that are made here and not by the driver: so that each read and write of
// one is over by the time limit of the call in progress, so that the certificate's name and key
// file can be those of the configuration, and so that new connections are counted.
#pragma once

#include <string>

#include <mongoc/mongoc.h>

#include "base/deadline.hpp"
#include "config/config.hpp"

namespace tenancy::sidecar::mongodb {

// How TLS is spoken, with the client's certificate and key in one file of this process's memory, as
// the driver wants them.
class TlsOptions {
public:
    // Throws ConfigError when a file cannot be read.
    TlsOptions(const TlsConfig& config, bool enabled);
    ~TlsOptions();
    TlsOptions(const TlsOptions&) = delete;
    TlsOptions& operator=(const TlsOptions&) = delete;

    [[nodiscard]] bool enabled() const { return enabled_; }
    [[nodiscard]] mongoc_ssl_opt_t driver_options() const;
    // The name that the server's certificate is to bear.
    [[nodiscard]] const char* server_name(const char* host) const;

private:
    void join_certificate_and_key(const TlsConfig& config);

    bool enabled_;
    std::string ca_file_;
    std::string pem_file_;
    std::string server_name_;
    int memory_ = -1; // of pem_file_, where it is in memory
};

// A connection to the host, TLS included, made by `connect_by`. Reads and writes end by `*limit`,
// whatever it is at that time; `limit` has to outlive the stream. Null with `error` set on failure.
[[nodiscard]] mongoc_stream_t* dial(const mongoc_host_list_t& host, const TlsOptions& tls,
                                    Deadline connect_by, const Deadline* limit,
                                    bson_error_t* error);

} // namespace tenancy::sidecar::mongodb
