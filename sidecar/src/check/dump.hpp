// pg_dump as a child process.
#pragma once

#include <string>

namespace tenancy::sidecar {

struct DumpResult {
    bool whole = false;
    double seconds = 0;
    std::string message; // the last that pg_dump said, when it failed
};

// Dumps the whole database to /dev/null. The password is handed over in memory that has no name,
// neither as an argument nor in the environment. Progress (seconds) goes to standard error.
[[nodiscard]] DumpResult run_dump(const std::string& conninfo, const std::string& password);

} // namespace tenancy::sidecar
