// From PostgreSQL into C++: everything PostgreSQL calls goes through entry<>, which lets no C++
// exception leave and turns each into an ereport(ERROR) with its SQLSTATE, DETAIL and HINT.
#pragma once

#include <exception>
#include <new>

#include "core/error.hpp"
#include "bridge/call.hpp"
#include "bridge/postgres.hpp"

namespace tenancy {

namespace bridge {

// An error between leaving the catch block and being raised: plain data, so that the longjmp
// skips no destructor. Longer texts are cut.
struct Report {
    ErrorData* postgres; // not null: an error of PostgreSQL's own, raised again as it was
    char sqlstate[6];
    char message[1024];
    char detail[1024];
    char hint[1024];
};

void describe(Report& report, const Error& error) noexcept;
void describe(Report& report, const char* sqlstate, const char* message, const char* hint) noexcept;
[[noreturn]] void raise(const Report& report);

} // namespace bridge

// Runs Impl(arguments...) and returns its result, or raises what it threw. Usage:
//   extern "C" void hook(QueryDesc* query, int flags) { entry<hook_impl>(query, flags); }
template <auto Impl, typename... Arguments>
auto entry(Arguments... arguments) {
    bridge::Report report;
    try {
        return Impl(arguments...);
    } catch (const pg_error& error) {
        report.postgres = error.data;
    } catch (const Error& error) {
        bridge::describe(report, error);
    } catch (const std::bad_alloc&) {
        bridge::describe(report, "53200", "out of memory", "");
    } catch (const std::exception& error) {
        bridge::describe(report, "XX000", error.what(), "Please report this as a bug of tenancy.");
    } catch (...) {
        bridge::describe(report, "XX000", "unknown C++ exception",
                         "Please report this as a bug of tenancy.");
    }
    bridge::raise(report);
}

} // namespace tenancy

// Defines the SQL function tenancy_<name>, whose body is name_sql(FunctionCallInfo).
#define TENANCY_FUNCTION(name)                                                                     \
    static Datum name##_sql(FunctionCallInfo fcinfo);                                              \
    extern "C" {                                                                                   \
    PG_FUNCTION_INFO_V1(tenancy_##name);                                                           \
    PGDLLEXPORT Datum tenancy_##name(PG_FUNCTION_ARGS) {                                           \
        return ::tenancy::entry<name##_sql>(fcinfo);                                               \
    }                                                                                              \
    }                                                                                              \
    static Datum name##_sql([[maybe_unused]] FunctionCallInfo fcinfo)
