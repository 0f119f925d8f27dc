// What an error reply means: a store that cannot serve at all now, a redirection, or something
// about one command only.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/failure.hpp"
#include "redis/address.hpp"
#include "redis/codec.hpp"

namespace tenancy::sidecar::redis {

// The first word of an error reply's text: "OOM", "ERR", "WRONGTYPE".
[[nodiscard]] std::string_view code_of(std::string_view error);

// The exception for an error that says the whole store is out of service or refuses this client;
// nothing for any other error.
[[nodiscard]] std::optional<Unavailable> unavailability(std::string_view error);

// Throws it.
void throw_if_unavailable(const Reply& reply);

// An error about one tenant's command, as a failure of that tenant.
[[nodiscard]] Failure failure_of(std::string_view error);

// -MOVED and -ASK. An empty host means the host that gave the answer.
struct Redirection {
    bool ask = false;
    unsigned slot = 0;
    Address address;
};
[[nodiscard]] std::optional<Redirection> redirection(std::string_view error);

// The text of an error, shortened, without what it repeats of the command's arguments.
[[nodiscard]] std::string harmless(std::string_view error);

// Throws Unavailable (UnexpectedReply): the server answers what it cannot mean.
[[noreturn]] void throw_unexpected(std::string_view command, const Reply& reply);

// The parts of a reply of which the type is known. Errors throw as by throw_if_unavailable(), and
// other types as by throw_unexpected().
[[nodiscard]] const std::vector<Reply>& array_of(std::string_view command, const Reply& reply,
                                                 std::size_t at_least = 0);
[[nodiscard]] const std::string& text_of(std::string_view command, const Reply& reply);
[[nodiscard]] std::int64_t integer_of(std::string_view command, const Reply& reply);

} // namespace tenancy::sidecar::redis
