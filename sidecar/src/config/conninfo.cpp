#include "config/conninfo.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cctype>
#include <memory>
#include <string_view>

#include <libpq-fe.h>

namespace tenancy::sidecar {
namespace {

using Options = std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)>;

constexpr std::array<std::string_view, 2> secret_keywords{"password", "sslpassword"};
constexpr std::array<std::string_view, 5> place_keywords{"service", "host", "hostaddr", "port",
                                                         "dbname"};
constexpr std::array<std::string_view, 3> secret_uri_options{
    "tlscertificatekeyfilepassword", "sslclientcertificatekeypassword", "authmechanismproperties"};

std::string lower(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return text;
}

bool is_port(std::string_view text) {
    int port = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    return error == std::errc{} && end == text.data() + text.size() && port >= 1 && port <= 65535;
}

} // namespace

std::string objection_to_conninfo(const std::string& conninfo) {
    // libpq's own message quotes the text, in which there may be a password: it is not passed on.
    const Options options(PQconninfoParse(conninfo.c_str(), nullptr), &PQconninfoFree);
    if (options == nullptr) {
        return "is not a connection string of libpq; write key=value pairs or postgresql://host/db";
    }
    for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
        const std::string_view keyword = option->keyword;
        if (option->val == nullptr) {
            continue;
        }
        if (std::find(secret_keywords.begin(), secret_keywords.end(), keyword) !=
            secret_keywords.end()) {
            return "has a password in it; take it out and use a password file, a credential or "
                   "libpq's passfile";
        }
        if (keyword == "options") {
            return "has options in it, which tenancyd sets itself; take them out";
        }
    }
    return "";
}

std::string place_of_conninfo(const std::string& conninfo) {
    const Options options(PQconninfoParse(conninfo.c_str(), nullptr), &PQconninfoFree);
    std::string place;
    for (const std::string_view keyword : place_keywords) {
        for (const PQconninfoOption* option = options.get();
             option != nullptr && option->keyword != nullptr; ++option) {
            if (option->keyword == keyword && option->val != nullptr) {
                place += std::string(keyword) + '=' + option->val + ' ';
            }
        }
    }
    return place;
}

std::string objection_to_mongodb_uri(const std::string& uri) {
    if (!uri.starts_with("mongodb://") && !uri.starts_with("mongodb+srv://")) {
        return "must begin with mongodb:// or mongodb+srv://";
    }
    if (uri.find('@') != std::string::npos) {
        return "has a user or a password in it; take them out and use username and password_file "
               "or credential";
    }
    const std::string options = lower(uri.substr(std::min(uri.find('?'), uri.size())));
    for (const std::string_view secret : secret_uri_options) {
        if (options.find(secret) != std::string::npos) {
            return "has a secret among its options; take it out";
        }
    }
    if (options.find("authmechanism") != std::string::npos) {
        return "has an authMechanism; take it out: tenancyd authenticates by SCRAM, with username "
               "and password_file or credential";
    }
    return "";
}

std::string objection_to_address(const std::string& address) {
    const auto colon = address.rfind(':');
    const std::string host = address.substr(0, colon);
    const bool bracketed = host.size() > 2 && host.starts_with('[') && host.ends_with(']');
    if (colon == std::string::npos || host.empty() || !is_port(address.substr(colon + 1)) ||
        (!bracketed && host.find_first_of("[]:/@ ") != std::string::npos)) {
        return "is not host:port, as \"localhost:6379\" or \"[::1]:6379\"";
    }
    return "";
}

} // namespace tenancy::sidecar
