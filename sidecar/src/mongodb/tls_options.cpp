// The files of the TLS configuration, as the driver wants them.
#include <cerrno>
#include <fstream>
#include <sstream>
#include <system_error>

#include <sys/mman.h>
#include <unistd.h>

#include "mongodb/dial.hpp"

namespace tenancy::sidecar::mongodb {
namespace {

std::string read_file(const std::string& name) {
    std::ifstream file(name, std::ios::binary);
    std::ostringstream text;
    if (!file || !(text << file.rdbuf())) {
        throw ConfigError("cannot read " + name + "; check the path and its permissions");
    }
    return text.str();
}

bool write_whole(int file, std::string_view text) {
    while (!text.empty()) {
        const auto written = write(file, text.data(), text.size());
        if (written <= 0) {
            return false;
        }
        text.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
}

} // namespace

TlsOptions::TlsOptions(const TlsConfig& config, bool enabled)
    : enabled_(enabled), ca_file_(config.ca_file), server_name_(config.server_name) {
    if (!enabled_) {
        return;
    }
    if (!ca_file_.empty()) {
        read_file(ca_file_);
    }
    if (!config.cert_file.empty()) {
        join_certificate_and_key(config);
    }
}

TlsOptions::~TlsOptions() {
    if (memory_ >= 0) {
        close(memory_);
    }
}

void TlsOptions::join_certificate_and_key(const TlsConfig& config) {
    std::string text = read_file(config.cert_file);
    if (!config.key_file.empty() && config.key_file != config.cert_file) {
        text += "\n" + read_file(config.key_file);
    }
    memory_ = memfd_create("tenancyd-client-certificate", MFD_CLOEXEC);
    if (memory_ < 0 || !write_whole(memory_, text)) {
        throw ConfigError("cannot hold " + config.cert_file +
                          " in memory: " + std::generic_category().message(errno));
    }
    pem_file_ = "/proc/self/fd/" + std::to_string(memory_);
}

mongoc_ssl_opt_t TlsOptions::driver_options() const {
    mongoc_ssl_opt_t options{};
    options.ca_file = ca_file_.empty() ? nullptr : ca_file_.c_str();
    options.pem_file = pem_file_.empty() ? nullptr : pem_file_.c_str();
    return options;
}

const char* TlsOptions::server_name(const char* host) const {
    return server_name_.empty() ? host : server_name_.c_str();
}

} // namespace tenancy::sidecar::mongodb
