// The marker document of a tenant's database, and the stamp of the store.
#pragma once

#include <optional>
#include <string>

#include "base/failure.hpp"
#include "mongodb/session.hpp"
#include "store/model.hpp"

namespace tenancy::sidecar::mongodb {

// A marker that is there but not legible has instance zero: it is nobody's, so foreign to all.
struct MarkerDocument {
    Marker marker;
    std::optional<JsonValue> settings;
};

[[nodiscard]] std::optional<MarkerDocument>
read_marker(Session& session, const std::string& database, Deadline deadline);

// Writes marker and settings in one document; false where there is a marker of another instance or
// a newer generation.
[[nodiscard]] bool replace_marker(Session& session, const std::string& database,
                                  const Marker& marker, const Json& settings, Deadline deadline);

// Shows the tenant as desired, unless refusal_by() says why not. `shown`: whether its state is, for
// that may be though the settings are not.
[[nodiscard]] std::optional<Failure> publish(Session& session, const Desired& desired,
                                             const Uuid& instance, Deadline deadline, bool& shown);
// Writes a marker with state provisioning where there is none; one of this instance that is not
// newer is fine as it is.
[[nodiscard]] std::optional<Failure> claim(Session& session, const Desired& desired,
                                           const Uuid& instance, Deadline deadline);

// Why a tenant's objects with this marker are not to be touched for `desired`, if so.
[[nodiscard]] std::optional<Failure> refusal_by(const Marker& marker, const Desired& desired,
                                                const Uuid& instance);

// Makes the marker, one of instance `found` or none at all, one of `instance`, of generation 0.
[[nodiscard]] std::optional<Failure> take_over(Session& session, const std::string& database,
                                               const std::optional<Uuid>& found,
                                               const Uuid& instance, Deadline deadline);

[[nodiscard]] std::optional<Stamp> read_stamp(Session& session, Deadline deadline);
// False when the stamp is not `expected` any more.
[[nodiscard]] bool write_stamp(Session& session, const Stamp& stamp,
                               const std::optional<Stamp>& expected, Deadline deadline);

} // namespace tenancy::sidecar::mongodb
