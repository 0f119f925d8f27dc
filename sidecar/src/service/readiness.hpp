// What probes and systemd are told of the reconciler.
#pragma once

#include <string>

#include "reconcile/reconciler.hpp"
#include "service/http.hpp"

namespace tenancy::sidecar {

// {"ready": ..., "observing": ..., "reasons": [...]}; 503 unless ready.
[[nodiscard]] HttpAnswer readiness_answer(const Readiness& readiness);

// One line, whatever the stores say: "in step", "not all in step: ...", "observing only: ...",
// "not ready: ...".
[[nodiscard]] std::string readiness_status(const Readiness& readiness);

} // namespace tenancy::sidecar
