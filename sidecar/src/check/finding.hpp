// What `tenancyd check` found out about one thing.
#pragma once

#include <string>
#include <vector>

namespace tenancy::sidecar {

struct Finding {
    enum class Level { ok, warning, failed };

    Level level = Level::ok;
    std::string subject; // "node 2", "store cache", "backup"
    std::string message;
    std::string next_step; // what to do, empty when ok
};

class Findings {
public:
    void ok(std::string subject, const std::string& message);
    void warning(std::string subject, const std::string& message, std::string next_step);
    void failed(std::string subject, const std::string& message, std::string next_step);
    void append(const Findings& more);

    [[nodiscard]] bool any_failed() const;
    // A table, with the next steps below what they are for.
    [[nodiscard]] std::string text() const;
    // {"failed": n, "warnings": n, "findings": [{"level", "subject", "message", "next_step"}]}
    [[nodiscard]] std::string json() const;

private:
    [[nodiscard]] std::size_t count(Finding::Level level) const;

    std::vector<Finding> all_;
};

} // namespace tenancy::sidecar
