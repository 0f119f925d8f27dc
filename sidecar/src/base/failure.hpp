// What can go wrong with one tenant in one store, and how it is told.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>

namespace tenancy::sidecar {

// transient: trying again later may help. permanent: it will not, until somebody changes something:
// the tenant is parked. superseded: the store holds a newer generation already, so there is nothing
// to do. foreign: what is there belongs to somebody else and is not touched.
enum class FailureKind : std::uint8_t { transient, permanent, superseded, foreign };

// `reason` is one CamelCase word, as in conditions ("NamespaceLimit"); `message` is for people,
// lower-case without a full stop, and holds no secret.
struct Failure {
    FailureKind kind = FailureKind::transient;
    std::string reason;
    std::string message;
};

// A value or why there is none.
template <typename T>
class [[nodiscard]] Result {
public:
    Result(T value) : held_(std::move(value)) {}           // NOLINT(google-explicit-constructor)
    Result(Failure failure) : held_(std::move(failure)) {} // NOLINT(google-explicit-constructor)

    [[nodiscard]] bool ok() const { return std::holds_alternative<T>(held_); }
    [[nodiscard]] const T& value() const { return std::get<T>(held_); }
    [[nodiscard]] T& value() { return std::get<T>(held_); }
    [[nodiscard]] const Failure& failure() const { return std::get<Failure>(held_); }

private:
    std::variant<T, Failure> held_;
};

// The whole store, or PostgreSQL, cannot be reached or does not answer in time. Thrown; says
// nothing about any one tenant, so no tenant's attempts are counted for it. `reason` as in Failure.
class Unavailable : public std::runtime_error {
public:
    Unavailable(std::string reason, const std::string& message)
        : std::runtime_error(message), reason_(std::move(reason)) {}

    [[nodiscard]] const std::string& reason() const { return reason_; }

private:
    std::string reason_;
};

} // namespace tenancy::sidecar
