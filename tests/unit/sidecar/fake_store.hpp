// A store in memory: one server that sessions share, with failures as a test wants them.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "store/store.hpp"

namespace tenancy::sidecar {

class FakeServer {
public:
    struct Tenant {
        std::optional<Marker> marker;
        std::optional<JsonValue> settings;
        Templates collections;
        bool unanswered = false; // when it is listed
    };

    mutable std::mutex mutex;
    std::optional<Stamp> stamp;
    std::map<std::string, Tenant> tenants; // by canonical id
    std::uint64_t connection = 1;          // counts up when another server answers
    std::string runs = "first";
    Capabilities capabilities;
    int writes = 0;
    // Writes to tenants by a session of another instance than the stamp's: there must be none.
    int fenced_writes = 0;
    std::vector<std::string> erased;
    std::vector<std::vector<Uuid>> looks; // who was observed together

    // Called at the beginning of each call with its name, and before each step with the step's;
    // throws Unavailable to let it fail. After a step: as a connection that is lost then.
    std::function<void(std::string_view)> before = [](std::string_view) {};
    std::function<void(std::string_view)> after = [](std::string_view) {};
    // Called for each tenant that is observed; throws Unavailable to let the call fail.
    std::function<void(const Desired&)> look = [](const Desired&) {};
    // A failure of that tenant's observation, or nothing.
    std::function<std::optional<Failure>(const Desired&)> unreadable = [](const Desired&) {
        return std::nullopt;
    };
    // A failure of that tenant's step, or nothing.
    std::function<std::optional<Failure>(const Desired&, const Action&)> fail =
        [](const Desired&, const Action&) { return std::nullopt; };
};

[[nodiscard]] std::unique_ptr<Store> fake_store(std::shared_ptr<FakeServer> server);

} // namespace tenancy::sidecar
