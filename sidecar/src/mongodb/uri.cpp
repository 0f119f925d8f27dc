// The configuration of a MongoDB store as a URI of the driver.
#include <array>

#include "mongodb/session.hpp"

namespace tenancy::sidecar::mongodb {
namespace {

// Where the settings of these belong: in the table tls of the store.
constexpr std::array tls_options{MONGOC_URI_TLSCERTIFICATEKEYFILE,
                                 MONGOC_URI_TLSCERTIFICATEKEYFILEPASSWORD,
                                 MONGOC_URI_TLSCAFILE,
                                 MONGOC_URI_TLSALLOWINVALIDCERTIFICATES,
                                 MONGOC_URI_TLSALLOWINVALIDHOSTNAMES,
                                 MONGOC_URI_TLSINSECURE};

[[noreturn]] void refuse(const StoreConfig& config, const std::string& why) {
    throw ConfigError("stores." + config.name + ".uri: " + why);
}

void check(const StoreConfig& config, const mongoc_uri_t* uri) {
    for (const char* option : tls_options) {
        if (mongoc_uri_has_option(uri, option)) {
            refuse(config,
                   std::string("take out ") + option + " and use stores." + config.name + ".tls");
        }
    }
    // For others than SCRAM, which servers agree on by themselves, the driver asks an address that
    // nobody has named, as a cloud's metadata service.
    if (mongoc_uri_get_auth_mechanism(uri) != nullptr) {
        refuse(config, "take out authMechanism; tenancyd authenticates by SCRAM");
    }
    if (mongoc_uri_get_password(uri) != nullptr) {
        refuse(config, "take out the password and use password_file");
    }
    const mongoc_read_prefs_t* reads = mongoc_uri_get_read_prefs_t(uri);
    if (reads != nullptr && mongoc_read_prefs_get_mode(reads) != MONGOC_READ_PRIMARY) {
        refuse(config, "take out readPreference; only the primary is read");
    }
}

void set_limits(const StoreConfig& config, mongoc_uri_t* uri) {
    // Streams bound each call more tightly (dial.hpp), and a client whose connection fails is
    // replaced, so that the driver has neither to wait nor to look at the servers on its own.
    constexpr std::int32_t hour = 3600000;
    const auto connect = static_cast<std::int32_t>(config.connect_timeout.count());
    mongoc_uri_set_option_as_int32(uri, MONGOC_URI_CONNECTTIMEOUTMS, connect);
    mongoc_uri_set_option_as_int32(uri, MONGOC_URI_SERVERSELECTIONTIMEOUTMS, connect);
    mongoc_uri_set_option_as_int32(uri, MONGOC_URI_SOCKETTIMEOUTMS, hour);
    mongoc_uri_set_option_as_int32(uri, MONGOC_URI_HEARTBEATFREQUENCYMS, hour);
    mongoc_uri_set_option_as_bool(uri, MONGOC_URI_SERVERSELECTIONTRYONCE, true);
    // The next round of reconciliation is the repetition.
    mongoc_uri_set_option_as_bool(uri, MONGOC_URI_RETRYREADS, false);
    mongoc_uri_set_option_as_bool(uri, MONGOC_URI_RETRYWRITES, false);
}

} // namespace

Target make_target(const StoreConfig& config) {
    bson_error_t error{};
    Target target;
    target.uri.reset(mongoc_uri_new_with_error(config.uri.c_str(), &error));
    mongoc_uri_t* uri = target.uri.get();
    if (uri == nullptr) {
        refuse(config, error.message);
    }
    check(config, uri);
    if (!config.username.empty() && !mongoc_uri_set_username(uri, config.username.c_str())) {
        refuse(config, "the user name is not valid UTF-8");
    }
    if (!config.password.empty() && !mongoc_uri_set_password(uri, config.password.c_str())) {
        refuse(config, "the password is not valid UTF-8");
    }
    mongoc_uri_set_appname(uri, "tenancyd");
    target.tls = config.tls.enabled || mongoc_uri_get_tls(uri);
    mongoc_uri_set_option_as_bool(uri, MONGOC_URI_TLS, false);
    set_limits(config, uri);
    return target;
}

} // namespace tenancy::sidecar::mongodb
