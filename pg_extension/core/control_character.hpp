// Control characters, which no name and no claim may hold: they forge log lines and terminals obey
// them.
#pragma once

#include <algorithm>
#include <string_view>

namespace tenancy {

// Whether `text` has a character of C0 (NUL included) or DEL. Looks at bytes, so UTF-8 is fine.
[[nodiscard]] inline bool has_control_character(std::string_view text) {
    return std::any_of(text.begin(), text.end(), [](char character) {
        const auto byte = static_cast<unsigned char>(character);
        return byte < 0x20 || byte == 0x7f;
    });
}

} // namespace tenancy
