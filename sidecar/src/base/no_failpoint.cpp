// What failpoints do in the program that is installed.
#include "base/failpoint.hpp"

namespace tenancy::sidecar {

void failpoint(std::string_view) {}

} // namespace tenancy::sidecar
