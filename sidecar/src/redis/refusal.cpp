#include "redis/refusal.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace tenancy::sidecar::redis {
namespace {

struct Meaning {
    std::string_view start; // of the error's text
    std::string_view reason;
    std::string_view message;
};

constexpr std::array meanings = {
    Meaning{"LOADING", "StoreLoading", "the server is still loading its data"},
    Meaning{"MASTERDOWN", "PrimaryDown", "the replica has lost its primary"},
    Meaning{"CLUSTERDOWN", "ClusterDown", "the cluster does not serve: see CLUSTER INFO"},
    Meaning{"READONLY", "ReadOnlyReplica", "the server is a replica and takes no writes"},
    Meaning{"OOM", "StoreFull", "the server is full: raise maxmemory or remove data"},
    Meaning{"MISCONF", "PersistenceFailing",
            "the server cannot write its data to disk and takes no writes"},
    Meaning{"BUSY ", "StoreBusy", "the server is busy with a script of another client"},
    Meaning{"NOREPLICAS", "TooFewReplicas",
            "the server has fewer replicas than min-replicas-to-write"},
    Meaning{"NOAUTH", "AuthenticationFailed",
            "the server wants a password; set username and "
            "password of the store"},
    Meaning{"WRONGPASS", "AuthenticationFailed",
            "user name or password are wrong, or the user is "
            "disabled"},
    Meaning{"NOPERM", "PermissionDenied", "the user lacks a permission"},
    Meaning{"DENIED", "PermissionDenied", "the server is in protected mode"},
    Meaning{"ERR max number of clients", "TooManyClients", "the server has too many clients"},
    Meaning{"ERR This instance has cluster support disabled", "ClusterMismatch",
            "the server is not part of a cluster; set cluster = false"},
};

template <typename Number>
bool parse(std::string_view text, Number& number) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

const char* name_of(Reply::Type type) {
    constexpr std::array names = {"nil",      "an integer", "a text",
                                  "a status", "an error",   "an array"};
    return names.at(static_cast<std::size_t>(type));
}

} // namespace

std::string_view code_of(std::string_view error) {
    return error.substr(0, error.find(' '));
}

std::optional<Unavailable> unavailability(std::string_view error) {
    for (const Meaning& each : meanings) {
        if (error.starts_with(each.start)) {
            // What may not be done is named by the server's text alone.
            const bool more = each.start == "NOPERM" || each.start == "MISCONF";
            return Unavailable(std::string(each.reason),
                               std::string(each.message) + (more ? ": " + harmless(error) : ""));
        }
    }
    return std::nullopt;
}

void throw_if_unavailable(const Reply& reply) {
    if (reply.is_error()) {
        if (const auto found = unavailability(reply.text)) {
            throw Unavailable(*found);
        }
    }
}

Failure failure_of(std::string_view error) {
    const auto code = code_of(error);
    const bool moving = code == "TRYAGAIN" || code == "MOVED" || code == "ASK";
    return {moving ? FailureKind::transient : FailureKind::permanent,
            moving ? "SlotMoving" : "CommandRefused",
            moving ? "the tenant's slot is being moved between nodes of the cluster"
                   : "the server refused the command: " + harmless(error)};
}

std::optional<Redirection> redirection(std::string_view error) {
    const auto code = code_of(error);
    if (code != "MOVED" && code != "ASK") {
        return std::nullopt;
    }
    const auto rest = error.substr(std::min(code.size() + 1, error.size()));
    const auto space = rest.find(' ');
    const auto colon = rest.rfind(':');
    Redirection found;
    found.ask = code == "ASK";
    if (space == std::string_view::npos || colon == std::string_view::npos || colon < space ||
        !parse(rest.substr(0, space), found.slot) || found.slot >= 16384 ||
        !parse(rest.substr(colon + 1), found.address.port)) {
        throw Unavailable("UnexpectedReply", "the server redirects to nowhere");
    }
    found.address.host = rest.substr(space + 1, colon - space - 1);
    return found;
}

std::string harmless(std::string_view error) {
    constexpr std::size_t most = 200;
    std::string text(error.substr(0, std::min(error.find(", with args"), most)));
    std::replace_if(
        text.begin(), text.end(), [](unsigned char each) { return each < 0x20 || each > 0x7e; },
        '?');
    return text;
}

void throw_unexpected(std::string_view command, const Reply& reply) {
    throw_if_unavailable(reply);
    throw Unavailable("UnexpectedReply",
                      "the server answers " + std::string(command) + " with " +
                          (reply.is_error() ? harmless(reply.text) : name_of(reply.type)));
}

const std::vector<Reply>& array_of(std::string_view command, const Reply& reply,
                                   std::size_t at_least) {
    if (reply.type != Reply::Type::array || reply.elements.size() < at_least) {
        throw_unexpected(command, reply);
    }
    return reply.elements;
}

const std::string& text_of(std::string_view command, const Reply& reply) {
    if (reply.type != Reply::Type::text && reply.type != Reply::Type::status) {
        throw_unexpected(command, reply);
    }
    return reply.text;
}

std::int64_t integer_of(std::string_view command, const Reply& reply) {
    if (reply.type != Reply::Type::integer) {
        throw_unexpected(command, reply);
    }
    return reply.integer;
}

} // namespace tenancy::sidecar::redis
