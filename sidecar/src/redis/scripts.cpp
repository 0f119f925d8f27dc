#include "redis/scripts.hpp"

#include <array>
#include <string>

#include <openssl/evp.h>

#include "redis/refusal.hpp"

namespace tenancy::sidecar::redis {
namespace {

// Generations are 64 bits wide and Lua's numbers are not, so digits are compared. The marker is
// written first: on a full server that fails before anything has changed. (Redis refuses the first
// write of a script alone, and DEL of what is not there would be one.) A key of another type has
// been put there by the tenant's own client, and gives way.
constexpr std::string_view publish_text = R"(
local function newer(one, other)
    if #one ~= #other then return #one > #other end
    return one > other
end
local function is_generation(text)
    return string.match(text, '^[1-9]%d*$') and not newer(text, '9223372036854775807')
end
local function is_hash(key) return redis.call('TYPE', key).ok == 'hash' end
local function clear(key)
    local kind = redis.call('TYPE', key).ok
    if kind ~= 'hash' and kind ~= 'none' then redis.call('DEL', key) end
end

local marker, settings = KEYS[1], KEYS[2]
local found = is_hash(marker) and redis.call('HMGET', marker, 'instance', 'generation', 'state') or {}
if found[1] and found[1] ~= ARGV[1] then return {'foreign'} end
if found[1] and ARGV[5] == 'claim' then return {'done'} end
if found[2] and is_generation(found[2]) and newer(found[2], ARGV[2]) and found[2] ~= ARGV[6] then
    return {'superseded', found[2]}
end
clear(marker)
redis.call('HSET', marker, 'instance', ARGV[1], 'generation', ARGV[2], 'state', ARGV[3])
clear(settings)
local wanted = {}
for i = 7, #ARGV, 2 do
    redis.call('HSET', settings, ARGV[i], ARGV[i + 1])
    wanted[ARGV[i]] = true
end
if redis.call('HLEN', settings) * 2 > #ARGV - 6 then
    for _, key in ipairs(redis.call('HKEYS', settings)) do
        if not wanted[key] then redis.call('HDEL', settings, key) end
    end
end
if found[3] ~= ARGV[3] then redis.pcall('PUBLISH', ARGV[4], ARGV[3]) end
return {'done'}
)";

constexpr std::string_view read_text = R"(#!lua flags=no-writes
local function readable(key, most_fields, most_bytes)
    local kind = redis.call('TYPE', key).ok
    if kind ~= 'hash' then return kind == 'none' end
    if redis.call('HLEN', key) > most_fields then return false end
    local size = redis.pcall('MEMORY', 'USAGE', key, 'SAMPLES', 0)
    return type(size) ~= 'number' or size <= most_bytes
end
local there = redis.call('EXISTS', KEYS[1], KEYS[2]) > 0 and 1 or 0
local marked = readable(KEYS[1], 16, 4096)
local set = readable(KEYS[2], 20000, 4194304)
local marker = marked and redis.call('HMGET', KEYS[1], 'instance', 'generation', 'state') or {}
return {there, marked and 1 or 0, set and 1 or 0, marker[1] or '', marker[2] or '', marker[3] or '',
        set and redis.call('HGETALL', KEYS[2]) or {}}
)";

// On a full server, too: without its stamp nothing is done there, not even what makes room.
constexpr std::string_view stamp_text = R"(#!lua flags=allow-oom
local found = redis.call('HMGET', KEYS[1], 'instance', 'store', 'epoch', 'tick')
for i = 1, 4 do
    if (found[i] or '') ~= ARGV[i] then return 0 end
end
redis.call('HSET', KEYS[1], 'instance', ARGV[5], 'store', ARGV[6], 'epoch', ARGV[7], 'tick', ARGV[8])
return 1
)";

constexpr std::string_view adopt_text = R"(
local kind = redis.call('TYPE', KEYS[1]).ok
if kind ~= 'hash' and kind ~= 'none' then redis.call('DEL', KEYS[1]) end
redis.call('HSET', KEYS[1], 'instance', ARGV[1], 'generation', '0')
redis.call('HSETNX', KEYS[1], 'state', 'provisioning')
return 1
)";

constexpr std::string_view probe_text = R"(#!lua flags=allow-oom
redis.call('TYPE', KEYS[1])
redis.call('HMGET', KEYS[1], 'instance')
redis.call('HDEL', KEYS[1], 'instance')
redis.call('DEL', KEYS[1])
return 1
)";

std::string sha1_hex(std::string_view text) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha1(), nullptr);
    constexpr std::string_view digits = "0123456789abcdef";
    std::string hex;
    for (unsigned i = 0; i < size; i++) {
        hex += digits[digest.at(i) >> 4];
        hex += digits[digest.at(i) & 15];
    }
    return hex;
}

Command command_of(const Call& call, bool by_sha) {
    Words words = {by_sha ? "EVALSHA" : "EVAL", by_sha ? call.script->sha : call.script->text,
                   std::to_string(call.keys.size())};
    words.insert(words.end(), call.keys.begin(), call.keys.end());
    words.insert(words.end(), call.arguments.begin(), call.arguments.end());
    return {call.keys.front(), std::move(words)};
}

} // namespace

Script::Script(std::string_view source) : text(source), sha(sha1_hex(source)) {}

const Script& publish_script() {
    static const Script script(publish_text);
    return script;
}

const Script& restrict_script() {
    static const Script script("#!lua flags=allow-oom" + std::string(publish_text));
    return script;
}

const Script& read_script() {
    static const Script script(read_text);
    return script;
}

const Script& stamp_script() {
    static const Script script(stamp_text);
    return script;
}

const Script& adopt_script() {
    static const Script script(adopt_text);
    return script;
}

const Script& probe_script() {
    static const Script script(probe_text);
    return script;
}

std::vector<Reply> call(Nodes& nodes, std::span<const Call> calls, Deadline deadline) {
    std::vector<Command> commands;
    commands.reserve(calls.size());
    for (const Call& each : calls) {
        commands.push_back(command_of(each, true));
    }
    auto replies = nodes.run(commands, deadline);
    std::vector<std::size_t> unseen;
    std::vector<Command> again;
    for (std::size_t i = 0; i < replies.size(); i++) {
        if (replies[i].is_error() && code_of(replies[i].text) == "NOSCRIPT") {
            unseen.push_back(i);
            again.push_back(command_of(calls[i], false));
        }
    }
    if (!again.empty()) {
        auto repeated = nodes.run(again, deadline);
        for (std::size_t i = 0; i < unseen.size(); i++) {
            replies[unseen[i]] = std::move(repeated[i]);
        }
    }
    return replies;
}

} // namespace tenancy::sidecar::redis
