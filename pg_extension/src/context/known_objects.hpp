// What was found out about roles, functions and the like, until the registry changes.
#pragma once

#include "context/registry.hpp"

namespace tenancy::context {

// Remembers an answer for each of up to `count` objects, a power of two. Plain data of one backend.
template <typename Value, uint32 count>
class KnownObjects {
public:
    // The answer of ask(object), which may raise; asked again when the registry has changed.
    template <typename Ask>
    Value find_out(Oid object, Ask ask) {
        static_assert((count & (count - 1)) == 0);
        Entry& entry = entries_[object & (count - 1)];
        const uint64 epoch = registry::epoch();
        if (entry.object != object || entry.epoch != epoch)
            entry = {epoch, object, ask(object)};
        return entry.value;
    }

    // Has it asked again the next time.
    void forget(Oid object) {
        Entry& entry = entries_[object & (count - 1)];
        if (entry.object == object)
            entry = {};
    }

private:
    struct Entry {
        uint64 epoch;
        Oid object;
        Value value;
    };
    Entry entries_[count]{};
};

} // namespace tenancy::context
