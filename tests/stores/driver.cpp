// store_driver: lets the tests of the stores call a Store from outside. Its first input line is the
// store's configuration; every line after it a command, {"do": name, "within_ms": n, ...}. Each is
// answered by one line: {"result": ..., "connection": n, "took_ms": n} or {"error": {...}}.
#include <chrono>
#include <iostream>
#include <string>

#include <nlohmann/json.hpp>

#include "driver_json.hpp"

using tenancy::sidecar::Deadline;
using tenancy::sidecar::Json;
using tenancy::sidecar::Milliseconds;

namespace tenancy::sidecar {
namespace {

class Driver {
public:
    explicit Driver(const Json& config) : store_(make_store(config_of(config))) {}

    Json execute(const Json& command);
    [[nodiscard]] std::uint64_t connection_number() const { return store_->connection_number(); }

private:
    Json observe(const Json& command, Deadline deadline);
    Json apply(const Json& command, Deadline deadline);
    Json list(const Json& command, Deadline deadline);

    std::unique_ptr<Store> store_;
    std::shared_ptr<const Templates> templates_ = std::make_shared<const Templates>();
};

Json Driver::observe(const Json& command, Deadline deadline) {
    std::vector<Desired> tenants;
    for (const Json& each : command.at("tenants")) {
        tenants.push_back(desired_of(each, templates_));
    }
    Json results = Json::array();
    for (const auto& result : store_->observe(tenants, deadline)) {
        results.push_back(json_of(result));
    }
    return results;
}

// "alive_for": after that many calls of `alive` the lease is lost; how often it was called is told.
Json Driver::apply(const Json& command, Deadline deadline) {
    std::vector<Desired> tenants;
    std::vector<Work> work;
    const Json& given = command.at("work");
    tenants.reserve(given.size());
    for (const Json& each : given) {
        tenants.push_back(desired_of(each.at("desired"), templates_));
        work.push_back({&tenants.back(), actions_of(each.at("actions"))});
    }
    const std::int64_t alive_for = command.value("alive_for", std::int64_t{-1});
    std::int64_t calls = 0;
    const auto alive = [&] { return ++calls <= alive_for || alive_for < 0; };
    Json outcomes = Json::array();
    for (const Outcome& outcome :
         store_->apply(work, uuid_of(command.at("instance")), alive, deadline)) {
        outcomes.push_back(json_of(outcome));
    }
    return {{"outcomes", outcomes}, {"alive_calls", calls}};
}

// "stop_after": the number of batches after which no more is wanted.
Json Driver::list(const Json& command, Deadline deadline) {
    const std::int64_t most = command.value("stop_after", std::int64_t{-1});
    std::int64_t batches = 0;
    Json objects = Json::array();
    const auto take = [&](const std::vector<FoundObject>& found) {
        for (const FoundObject& object : found) {
            objects.push_back(json_of(object));
        }
        return ++batches != most;
    };
    store_->list(take, deadline);
    return {{"objects", objects}, {"batches", batches}};
}

Json Driver::execute(const Json& command) {
    const std::string what = command.at("do");
    const auto deadline = Deadline::in(Milliseconds(command.value("within_ms", 10000)));
    if (what == "define") {
        const StoreDefinition definition = definition_of(command.at("definition"));
        templates_ = definition.templates;
        store_->define(definition);
        return nullptr;
    }
    if (what == "probe") {
        return json_of(store_->probe(deadline));
    }
    if (what == "read_stamp") {
        return json_of(store_->read_stamp(deadline));
    }
    if (what == "write_stamp") {
        const Stamp stamp = stamp_of(command.at("stamp")).value_or(Stamp{});
        return store_->write_stamp(stamp, stamp_of(command.at("expected")), deadline);
    }
    if (what == "runs") {
        return store_->runs(deadline);
    }
    if (what == "observe") {
        return observe(command, deadline);
    }
    if (what == "apply") {
        return apply(command, deadline);
    }
    if (what == "list") {
        return list(command, deadline);
    }
    if (what == "adopt") {
        return json_of(store_->adopt(object_of(command.at("object")),
                                     uuid_of(command.at("instance")), deadline));
    }
    if (what == "prune") {
        return json_of(store_->prune(object_of(command.at("object")), deadline));
    }
    throw std::runtime_error("no such command: " + what);
}

Json error(const char* type, const std::exception& caught, const std::string& reason = "") {
    return {{"error", {{"type", type}, {"reason", reason}, {"message", caught.what()}}}};
}

// The answer to what `action` returns or throws.
template <typename Action>
Json answer(Action action) {
    const auto begin = std::chrono::steady_clock::now();
    Json json;
    try {
        json = {{"result", action()}};
    } catch (const Unavailable& caught) {
        json = error("Unavailable", caught, caught.reason());
    } catch (const ConfigError& caught) {
        json = error("ConfigError", caught);
    } catch (const std::exception& caught) {
        json = error("exception", caught);
    }
    const auto took = std::chrono::steady_clock::now() - begin;
    json["took_ms"] = std::chrono::duration_cast<Milliseconds>(took).count();
    return json;
}

void print(const Json& json) {
    // A store's error text may hold any bytes.
    std::cout << json.dump(-1, ' ', false, Json::error_handler_t::replace) << '\n' << std::flush;
}

int run() {
    std::string line;
    std::getline(std::cin, line);
    std::unique_ptr<Driver> driver;
    print(answer([&]() -> Json {
        driver = std::make_unique<Driver>(Json::parse(line));
        return nullptr;
    }));
    while (driver && std::getline(std::cin, line)) {
        Json json = answer([&] { return driver->execute(Json::parse(line)); });
        json["connection"] = driver->connection_number();
        print(json);
    }
    return driver ? 0 : 1;
}

} // namespace
} // namespace tenancy::sidecar

int main() {
    try {
        return tenancy::sidecar::run();
    } catch (const std::exception& caught) {
        std::cerr << caught.what() << '\n';
        return 1;
    }
}
