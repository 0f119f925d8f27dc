#include "mongodb/bounded_stream.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>

namespace tenancy::sidecar::mongodb {
namespace {

// Any number that the driver has no type of stream for.
constexpr int own_type = 4711;

struct Bounded {
    mongoc_stream_t stream; // first: the driver sees this one
    mongoc_stream_t* inner;
    const Deadline* limit;
};

Bounded* self(mongoc_stream_t* stream) {
    return reinterpret_cast<Bounded*>(stream);
}

// A negative time limit is none at all.
std::int32_t bounded(const Bounded* stream, std::int32_t asked) {
    using Limits = std::numeric_limits<std::int32_t>;
    const auto left = std::min<std::int64_t>(stream->limit->left().count(), Limits::max());
    const auto most = static_cast<std::int32_t>(left);
    return asked < 0 ? most : std::min(asked, most);
}

void destroy(mongoc_stream_t* stream) {
    mongoc_stream_destroy(self(stream)->inner);
    delete self(stream);
}

void failed(mongoc_stream_t* stream) {
    mongoc_stream_failed(self(stream)->inner);
    delete self(stream);
}

int close_inner(mongoc_stream_t* stream) {
    return mongoc_stream_close(self(stream)->inner);
}

int flush(mongoc_stream_t* stream) {
    return mongoc_stream_flush(self(stream)->inner);
}

ssize_t writev(mongoc_stream_t* stream, mongoc_iovec_t* parts, std::size_t count,
               std::int32_t timeout) {
    return mongoc_stream_writev(self(stream)->inner, parts, count, bounded(self(stream), timeout));
}

ssize_t readv(mongoc_stream_t* stream, mongoc_iovec_t* parts, std::size_t count, std::size_t least,
              std::int32_t timeout) {
    return mongoc_stream_readv(self(stream)->inner, parts, count, least,
                               bounded(self(stream), timeout));
}

int setsockopt(mongoc_stream_t* stream, int level, int name, void* value, mongoc_socklen_t size) {
    return mongoc_stream_setsockopt(self(stream)->inner, level, name, value, size);
}

mongoc_stream_t* base(mongoc_stream_t* stream) {
    return self(stream)->inner;
}

bool check_closed(mongoc_stream_t* stream) {
    return mongoc_stream_check_closed(self(stream)->inner);
}

bool timed_out(mongoc_stream_t* stream) {
    return mongoc_stream_timed_out(self(stream)->inner);
}

bool should_retry(mongoc_stream_t* stream) {
    return mongoc_stream_should_retry(self(stream)->inner);
}

} // namespace

mongoc_stream_t* make_bounded(mongoc_stream_t* inner, const Deadline* limit) {
    auto* made = new Bounded{};
    made->inner = inner;
    made->limit = limit;
    made->stream.type = own_type;
    made->stream.destroy = destroy;
    made->stream.failed = failed;
    made->stream.close = close_inner;
    made->stream.flush = flush;
    made->stream.writev = writev;
    made->stream.readv = readv;
    made->stream.setsockopt = setsockopt;
    made->stream.get_base_stream = base; // the driver polls the innermost one
    made->stream.check_closed = check_closed;
    made->stream.timed_out = timed_out;
    made->stream.should_retry = should_retry;
    return &made->stream;
}

} // namespace tenancy::sidecar::mongodb
