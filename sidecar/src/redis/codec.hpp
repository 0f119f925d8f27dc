// Commands to bytes and bytes to replies, RESP2. hiredis does the work; here are the limits that it
// lacks against a server that answers without end.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

struct redisReader;

namespace tenancy::sidecar::redis {

using Words = std::vector<std::string>; // a command and its arguments, any bytes

struct Reply {
    enum class Type : std::uint8_t { nil, integer, text, status, error, array };

    Type type = Type::nil;
    std::int64_t integer = 0;
    std::string text; // of text, status and error
    std::vector<Reply> elements;

    [[nodiscard]] bool is_error() const { return type == Type::error; }
};

// Appends the command to `bytes`.
void encode(const Words& words, std::string& bytes);

// Takes bytes as they come and gives replies. After an exception it is of no use any more.
class ReplyReader {
public:
    // Of one reply: bytes on the wire, and elements of all its arrays together.
    struct Limits {
        std::size_t bytes = std::size_t{64} << 20;
        std::size_t elements = std::size_t{1} << 20;
    };

    explicit ReplyReader(Limits limits);
    ReplyReader() : ReplyReader(Limits{}) {}
    ReplyReader(const ReplyReader&) = delete;
    ReplyReader& operator=(const ReplyReader&) = delete;
    ~ReplyReader();

    void feed(std::span<const char> bytes);
    // The next reply, or nothing when it is not complete yet. Throws Unavailable (ProtocolError,
    // ReplyTooLarge).
    [[nodiscard]] std::optional<Reply> next();

private:
    struct State;

    Limits limits_;
    std::unique_ptr<State> state_;
    std::unique_ptr<redisReader, void (*)(redisReader*)> reader_;
    std::size_t pending_bytes_ = 0; // fed since the last complete reply
};

} // namespace tenancy::sidecar::redis
