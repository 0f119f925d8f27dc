// The domain error: what core and the extension throw, and what the bridge turns into
// ereport(ERROR).
#pragma once

#include <exception>
#include <string>
#include <utility>

namespace tenancy {

// An error with everything PostgreSQL's error report carries. `message` is lower-case without a
// full stop; `detail` and `hint` are sentences or empty; none holds a secret or a value of a tenant
// other than the caller's own. `sqlstate` is one of the constants of sqlstate.hpp.
class Error : public std::exception {
public:
    Error(const char* sqlstate, std::string message, std::string hint = {}, std::string detail = {})
        : sqlstate_(sqlstate), message_(std::move(message)), hint_(std::move(hint)),
          detail_(std::move(detail)) {}

    const char* what() const noexcept override { return message_.c_str(); }
    const char* sqlstate() const noexcept { return sqlstate_; }
    const std::string& message() const noexcept { return message_; }
    const std::string& hint() const noexcept { return hint_; }
    const std::string& detail() const noexcept { return detail_; }

private:
    const char* sqlstate_; // static storage
    std::string message_;
    std::string hint_;
    std::string detail_;
};

} // namespace tenancy
