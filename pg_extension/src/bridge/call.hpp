// From C++ into PostgreSQL: pg_call turns an ereport(ERROR), which is a longjmp, into a C++
// exception, so that destructors run. Needed only while an object with a destructor is alive.
#pragma once

#include <csetjmp>
#include <new>
#include <type_traits>
#include <utility>

#include "bridge/postgres.hpp"

namespace tenancy {

// An error that PostgreSQL raised, whole: SQLSTATE, message, DETAIL, HINT, CONTEXT, position.
// `data` lives in the memory context that was current at the pg_call. Only entry<> may end its
// flight; to go on after one takes an internal subtransaction.
struct pg_error {
    ErrorData* data;
};

namespace bridge {

// What an error leaves behind and pg_call has to put back.
class ErrorScope {
public:
    ErrorScope() noexcept
        : exceptions_(PG_exception_stack), callbacks_(error_context_stack),
          memory_(CurrentMemoryContext) {}
    ErrorScope(const ErrorScope&) = delete;
    ErrorScope& operator=(const ErrorScope&) = delete;
    ~ErrorScope() { restore(); }

    void restore() const noexcept {
        PG_exception_stack = exceptions_;
        error_context_stack = callbacks_;
    }
    void restore_memory() const noexcept { CurrentMemoryContext = memory_; }

private:
    sigjmp_buf* exceptions_;
    ErrorContextCallback* callbacks_;
    MemoryContext memory_;
};

} // namespace bridge

// Calls `function`, which makes one PostgreSQL call and holds plain data only, and returns its
// result. Throws pg_error when PostgreSQL raised, std::bad_alloc when not even that could be kept.
template <typename Function>
std::invoke_result_t<Function> pg_call(Function&& function) {
    using Result = std::invoke_result_t<Function>;
    static_assert(std::is_void_v<Result> || std::is_trivially_destructible_v<Result>,
                  "a longjmp would skip the result's destructor");

    const bridge::ErrorScope scope;
    sigjmp_buf landing;
    volatile bool copying = false;

    // NOLINTNEXTLINE(cert-err52-cpp): the one place where PostgreSQL's errors land
    if (sigsetjmp(landing, 0) == 0) {
        PG_exception_stack = &landing;
        return std::forward<Function>(function)();
    }

    scope.restore_memory();
    if (copying) {
        FlushErrorState();
        throw std::bad_alloc();
    }
    copying = true;
    PG_exception_stack = &landing;
    ErrorData* data = CopyErrorData();
    FlushErrorState();
    throw pg_error{data};
}

} // namespace tenancy
