#include "reconciling.hpp"

#include <stdexcept>

#include <nlohmann/json.hpp>

#include <stdlib.h>

namespace tenancy::sidecar {

TemporaryDirectory::TemporaryDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "tenancyd-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) {
        throw std::runtime_error("no temporary directory");
    }
    path_ = name;
}

TemporaryDirectory::~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

StoreConfig fake_store_config() {
    StoreConfig config;
    config.name = "cache";
    config.kind = "redis";
    config.batch = 4;
    config.scan_rate = 0;
    return config;
}

ReconcileConfig quick_reconcile_config() {
    ReconcileConfig config;
    config.backoff_first = Milliseconds(1);
    config.backoff_most = Milliseconds(1);
    config.attempts = 3;
    return config;
}

Uuid tenant_number(unsigned number) {
    Uuid id;
    id.bytes[14] = static_cast<std::uint8_t>(number / 256);
    id.bytes[15] = static_cast<std::uint8_t>(number % 256);
    id.bytes[0] = 7;
    return id;
}

namespace {

std::vector<std::unique_ptr<StoreContext>> one_context(const ReconcileConfig& config) {
    std::vector<std::unique_ptr<StoreContext>> contexts;
    contexts.push_back(std::make_unique<StoreContext>(fake_store_config(), config));
    return contexts;
}

} // namespace

Daemon::Daemon(std::shared_ptr<FakeDatabase> database, std::shared_ptr<FakeServer> server,
               const ReconcileConfig& config)
    : surroundings(config, Milliseconds(1000), statistics), contexts(one_context(config)),
      instance(surroundings, directory.path(), contexts, fake_registry(database)),
      keeper(surroundings, *contexts.front(), fake_registry(database), fake_store(server)),
      worker(surroundings, *contexts.front(), Task::keep, fake_registry(database),
             fake_store(server)),
      eraser(surroundings, *contexts.front(), Task::erase, fake_registry(database),
             fake_store(server)),
      scanner(surroundings, *contexts.front(), fake_registry(database), fake_store(server)) {}

void Daemon::settle() {
    const auto limit = Deadline::in(Milliseconds(2000));
    for (int i = 0;
         i < 5 || (contexts.front()->breaker.state() != Breaker::State::closed && !limit.passed());
         ++i) {
        instance.run_once();
        keeper.run_once();
        if (gate().open && contexts.front()->breaker.allowed(Task::keep) > 0) {
            return;
        }
    }
}

void Daemon::turn() {
    instance.run_once();
    keeper.run_once();
    (void)work();
}

void OneStore::add(unsigned count) {
    for (unsigned i = 0; i < count; ++i) {
        database->add(tenant_number(i));
    }
}

bool OneStore::converge() {
    const auto limit = Deadline::in(Milliseconds(10'000));
    while (!database->converged() && !limit.passed()) {
        daemon.turn();
    }
    return database->converged();
}

FakeDatabase::Row& OneStore::row(unsigned number) {
    return database->rows.at(tenant_number(number));
}

FakeServer::Tenant* OneStore::shown(unsigned number) const {
    const auto found = server->tenants.find(print_uuid(tenant_number(number)));
    return found == server->tenants.end() ? nullptr : &found->second;
}

void OneStore::break_once(const std::string& call) {
    server->before = [this, call](std::string_view name) {
        if (name == call) {
            server->before = [](std::string_view) {};
            throw Unavailable("Unreachable", "broken by the test");
        }
    };
}

void OneStore::want_a_collection() {
    database->definition.templates = std::make_shared<const Templates>(
        Templates{{"messages", CollectionTemplate{"messages", Json::object(), {}}}});
    ++database->definition.generation;
}

} // namespace tenancy::sidecar
