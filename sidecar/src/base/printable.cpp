#include "base/printable.hpp"

#include <algorithm>

namespace tenancy::sidecar {

std::string printable(std::string text) {
    std::replace_if(
        text.begin(), text.end(), [](unsigned char c) { return c < ' ' || c == 0x7F; }, ' ');
    return text;
}

} // namespace tenancy::sidecar
