#include "redis/codec.hpp"

#include <new>

#include <hiredis/hiredis.h>

#include "base/failure.hpp"

namespace tenancy::sidecar::redis {

// What the functions that hiredis calls know of the reply they build.
struct ReplyReader::State {
    std::size_t elements_left = 0;
    bool too_large = false;
    const char* refusal = nullptr; // why hiredis was not let build it
};

namespace {

Reply::Type type_of(int type) {
    switch (type) {
    case REDIS_REPLY_STATUS:
        return Reply::Type::status;
    case REDIS_REPLY_ERROR:
        return Reply::Type::error;
    default:
        return Reply::Type::text;
    }
}

constexpr int deepest = 8; // arrays within each other

// Not nil, which is a type of its own in RESP3 alone.
bool is_of_resp2(int type) {
    return type == REDIS_REPLY_STRING || type == REDIS_REPLY_STATUS || type == REDIS_REPLY_ERROR ||
           type == REDIS_REPLY_INTEGER || type == REDIS_REPLY_ARRAY;
}

int arrays_around(const redisReadTask* task) {
    int arrays = 0;
    for (; task->parent != nullptr; task = task->parent) {
        arrays++;
    }
    return arrays;
}

// Of what hiredis 0.14 refuses itself and later ones build.
const char* refusal_of(const redisReadTask* task) {
    if (!is_of_resp2(task->type)) {
        return "its type is of RESP3, which was not asked for";
    }
    if (task->type == REDIS_REPLY_ARRAY && arrays_around(task) >= deepest) {
        return "its arrays are too deep within each other";
    }
    return nullptr;
}

// hiredis calls these from C: no exception may leave them, and null ends the reading.
template <typename State, typename Fill>
void* build(const redisReadTask* task, Fill fill) noexcept {
    auto* state = static_cast<State*>(task->privdata);
    state->refusal = refusal_of(task);
    if (state->refusal != nullptr) {
        return nullptr;
    }
    try {
        if (task->parent == nullptr) {
            auto root = std::make_unique<Reply>();
            fill(*root);
            return root.release();
        }
        auto& siblings = static_cast<Reply*>(task->parent->obj)->elements;
        Reply& reply = siblings[static_cast<std::size_t>(task->idx)];
        fill(reply);
        return &reply;
    } catch (const std::bad_alloc&) {
        return nullptr;
    }
}

template <typename State>
void* build_text(const redisReadTask* task, char* bytes, std::size_t size) {
    return build<State>(task, [&](Reply& reply) {
        reply.type = type_of(task->type);
        reply.text.assign(bytes, size);
    });
}

template <typename State>
void* build_integer(const redisReadTask* task, long long value) {
    return build<State>(task, [&](Reply& reply) {
        reply.type = Reply::Type::integer;
        reply.integer = value;
    });
}

template <typename State>
void* build_nil(const redisReadTask* task) {
    return build<State>(task, [](Reply&) {});
}

// The count is an int in hiredis 0.14 and a size_t from 1.0 on.
template <typename Count, typename State>
void* build_array(const redisReadTask* task, Count count) {
    auto* state = static_cast<State*>(task->privdata);
    const auto size = static_cast<std::size_t>(count); // a negative one is too large
    if (size > state->elements_left) {
        state->too_large = true;
        return nullptr;
    }
    state->elements_left -= size;
    return build<State>(task, [&](Reply& reply) {
        reply.type = Reply::Type::array;
        reply.elements.resize(size);
    });
}

// Types of RESP3 that have functions of their own in later versions of hiredis than 0.14.
template <typename State, typename Functions>
void refuse_resp3(Functions& functions) {
    if constexpr (requires { functions.createDouble; }) {
        functions.createDouble = [](const redisReadTask* task, auto...) {
            return build<State>(task, [](Reply&) {});
        };
        functions.createBool = [](const redisReadTask* task, auto...) {
            return build<State>(task, [](Reply&) {});
        };
    }
}

template <typename State>
redisReplyObjectFunctions* functions() {
    static redisReplyObjectFunctions made = [] {
        redisReplyObjectFunctions each{};
        each.createString = build_text<State>;
        each.createArray = [](const redisReadTask* task, auto count) {
            return build_array<decltype(count), State>(task, count);
        };
        each.createInteger = build_integer<State>;
        each.createNil = build_nil<State>;
        each.freeObject = [](void* root) { delete static_cast<Reply*>(root); };
        refuse_resp3<State>(each);
        return each;
    }();
    return &made;
}

} // namespace

void encode(const Words& words, std::string& bytes) {
    std::vector<const char*> starts;
    std::vector<std::size_t> sizes;
    for (const std::string& word : words) {
        starts.push_back(word.data());
        sizes.push_back(word.size());
    }
    char* formatted = nullptr;
    const auto size = redisFormatCommandArgv(&formatted, static_cast<int>(words.size()),
                                             starts.data(), sizes.data());
    const std::unique_ptr<char, void (*)(char*)> owned(formatted, redisFreeCommand);
    if (size < 0) {
        throw std::bad_alloc();
    }
    bytes.append(formatted, static_cast<std::size_t>(size));
}

ReplyReader::ReplyReader(Limits limits)
    : limits_(limits), state_(std::make_unique<State>()),
      reader_(redisReaderCreateWithFunctions(functions<State>()), redisReaderFree) {
    if (!reader_) {
        throw std::bad_alloc();
    }
    reader_->privdata = state_.get();
    state_->elements_left = limits_.elements;
}

ReplyReader::~ReplyReader() = default;

void ReplyReader::feed(std::span<const char> bytes) {
    pending_bytes_ += bytes.size();
    if (redisReaderFeed(reader_.get(), bytes.data(), bytes.size()) != REDIS_OK) {
        throw Unavailable("ProtocolError",
                          std::string("the answer is unreadable: ") + reader_->errstr);
    }
}

std::optional<Reply> ReplyReader::next() {
    void* root = nullptr;
    if (redisReaderGetReply(reader_.get(), &root) != REDIS_OK) {
        if (state_->too_large) {
            throw Unavailable("ReplyTooLarge", "the server announces a reply of too many elements");
        }
        throw Unavailable("ProtocolError",
                          std::string("the answer is no reply of Redis: ") +
                              (state_->refusal != nullptr ? state_->refusal : reader_->errstr));
    }
    if (root == nullptr) {
        if (pending_bytes_ > limits_.bytes) {
            throw Unavailable("ReplyTooLarge", "the server's reply does not end");
        }
        return std::nullopt;
    }
    const std::unique_ptr<Reply> owned(static_cast<Reply*>(root));
    pending_bytes_ = reader_->len - reader_->pos;
    state_->elements_left = limits_.elements;
    return std::move(*owned);
}

} // namespace tenancy::sidecar::redis
