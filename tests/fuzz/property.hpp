// What the fuzz targets have in common: a property that does not hold ends the process, so that
// libFuzzer keeps the input, and so does any exception that is not the domain error.
#pragma once

#include "error.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace tenancy::fuzz {

inline void require(bool holds, const char* property) {
    if (holds)
        return;
    std::fprintf(stderr, "does not hold: %s\n", property);
    std::abort();
}

// The error that `action` ends with, if it does.
template <typename Action>
std::optional<Error> refusal(Action action) {
    try {
        action();
    } catch (const Error& error) {
        return error;
    }
    return std::nullopt;
}

// The refusal has the SQLSTATE, and repeats nothing of what was refused: in all of a run there are
// only so many different ones.
inline void require_silent(const Error& error, std::string_view sqlstate) {
    constexpr std::size_t texts_of_a_parser = 64;
    static std::set<std::string> told;
    require(error.sqlstate() == sqlstate, "the refusal has the parser's SQLSTATE");
    told.insert(error.message() + error.hint() + error.detail());
    require(told.size() <= texts_of_a_parser, "a refusal quotes nothing of the input");
}

// A bare view of libFuzzer's bytes.
inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
    return {reinterpret_cast<const char*>(data), size};
}

inline std::string to_lower(std::string_view text) {
    std::string lower(text);
    for (char& character : lower)
        if (character >= 'A' && character <= 'Z')
            character = static_cast<char>(character - 'A' + 'a');
    return lower;
}

} // namespace tenancy::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
