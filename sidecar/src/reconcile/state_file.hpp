// What this host remembers of the instance, outside the database: instance.json in the state
// directory. A copy of the database does not have it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>

#include "uuid.hpp"

namespace tenancy::sidecar {

struct StateFile {
    // Written before a new instance is bound, without id and epoch: whoever finds the database
    // bound afterwards, on the same server, knows that the binding was meant to be.
    bool binding = false;
    Uuid id;
    std::int64_t epoch = 0;
    std::string system_identifier;
    std::string database_oid;
    std::int64_t timeline = 0;

    friend bool operator==(const StateFile&, const StateFile&) = default;
};

class StateFileError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

// Nothing when there is none. Throws StateFileError when it cannot be read or makes no sense: that
// is not the same as none.
[[nodiscard]] std::optional<StateFile> read_state_file(const std::filesystem::path& directory);

// Replaces it as a whole, for its owner only, and on disk when this returns. Throws StateFileError.
void write_state_file(const std::filesystem::path& directory, const StateFile& state);

} // namespace tenancy::sidecar
