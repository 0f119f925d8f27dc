// Random lives of tenants under random faults, from fixed seeds: in the end every store shows what
// PostgreSQL wants, nothing is orphaned, and nothing was written while the store was another's.
#include <random>

#include <nlohmann/json.hpp>
#include <gtest/gtest.h>

#include "reconcile/lifecycle.hpp"
#include "reconciling.hpp"

namespace tenancy::sidecar {
namespace {

constexpr unsigned tenants = 20;
constexpr int rounds = 400;

class Convergence : public ::testing::TestWithParam<unsigned> {
protected:
    unsigned dice(unsigned sides) {
        return std::uniform_int_distribution<unsigned>(0, sides - 1)(random);
    }

    void live(unsigned number) {
        const auto id = tenant_number(number);
        const auto tenant = database->tenants.at(id);
        if (tenant.state == "erasing" && tenant.present && dice(2) == 0) {
            database->change(id, "erasing", false, Json::object()); // the point of no return
            return;
        }
        std::vector<LifecycleTransition> ways;
        for (const auto& way : lifecycle_transitions) {
            const bool possible = way.action == "finish_erasure"   ? !tenant.present
                                  : way.action == "cancel_erasure" ? tenant.present
                                                                   : true;
            if (way.from == tenant.state && possible) {
                ways.push_back(way);
            }
        }
        if (!ways.empty()) {
            const auto& way = ways[dice(static_cast<unsigned>(ways.size()))];
            database->change(id, std::string(way.to), tenant.present, Json{{"v", dice(1000)}});
        }
    }

    void let_the_store_fail() {
        server->before = [this](std::string_view) {
            if (faulty && dice(25) == 0) {
                server->connection += dice(2);
                throw Unavailable(dice(2) == 0 ? "Unreachable" : "TimedOut", "refused");
            }
        };
        server->look = [this](const Desired& desired) { // over this tenant alone, for a while
            if (faulty && desired.tenant == hanging) {
                throw Unavailable("TimedOut", "no answer");
            }
        };
        server->after = [this](std::string_view) { // done, and the answer is lost
            if (faulty && dice(25) == 0) {
                ++server->connection;
                throw Unavailable("Unreachable", "lost");
            }
        };
        server->fail = [this](const Desired&, const Action&) -> std::optional<Failure> {
            const auto kind = faulty ? dice(30) : 30;
            if (kind == 0) {
                return Failure{FailureKind::permanent, "NamespaceLimit", "limit"};
            }
            return kind < 3 ? std::optional(Failure{FailureKind::transient, "Busy", "busy"})
                            : std::nullopt;
        };
        database->before = [this](std::string_view) {
            if (faulty && dice(40) == 0) {
                throw Unavailable("Unreachable", "PostgreSQL is away");
            }
        };
    }

    void disturb() {
        switch (dice(12)) {
        case 0:
            database->expire_leases();
            break;
        case 1: // lost objects
            server->tenants.erase(print_uuid(tenant_number(dice(tenants))));
            break;
        case 2: // changed by somebody else
            if (const auto there = server->tenants.find(print_uuid(tenant_number(dice(tenants))));
                there != server->tenants.end()) {
                there->second.settings = Json{{"x", 1}};
            }
            break;
        case 3: // another server answers for a while
            if (!away && server->stamp) {
                away = server->stamp;
                server->stamp = Stamp{Uuid{{99}}, "cache", 1, 1};
                ++server->connection;
            }
            break;
        case 4:
        case 5:
            come_back();
            break;
        case 6:
            database->replay_parked();
            break;
        case 7:
            hanging = tenant_number(dice(tenants * 2)); // half of them are nobody's
            break;
        default:
            break;
        }
    }

    void come_back() {
        if (away) {
            server->stamp = std::exchange(away, std::nullopt);
            ++server->connection;
        }
    }

    void take_turns(Daemon& daemon) {
        switch (dice(4)) {
        case 0:
            daemon.instance.run_once();
            break;
        case 1:
            daemon.keeper.run_once();
            break;
        case 2:
            (void)daemon.scanner.run_once(daemon.beat);
            break;
        default:
            break;
        }
        (void)daemon.work();
    }

    void expect_desired_equals_observed() const {
        for (const auto& [id, tenant] : database->tenants) {
            const auto found = server->tenants.find(print_uuid(id));
            if (!tenant.present) {
                EXPECT_EQ(found, server->tenants.end()) << "left over: " << print_uuid(id);
                EXPECT_GE(database->rows.at(id).proofs, 1);
                continue;
            }
            ASSERT_NE(found, server->tenants.end()) << "missing: " << print_uuid(id);
            EXPECT_EQ(found->second.marker,
                      (Marker{database->identity.id, tenant.generation, tenant.state}));
            EXPECT_EQ(found->second.settings, tenant.settings);
        }
    }

    std::mt19937 random{GetParam()};
    bool faulty = true;
    Uuid hanging;
    std::optional<Stamp> away;
    std::shared_ptr<FakeDatabase> database = std::make_shared<FakeDatabase>("cache");
    std::shared_ptr<FakeServer> server = std::make_shared<FakeServer>();
    Daemon first{database, server};
    Daemon second{database, server};
};

TEST_P(Convergence, DesiredEqualsObservedInTheEnd) {
    for (unsigned i = 0; i < tenants; ++i) {
        database->add(tenant_number(i));
    }
    // Both are started on a fresh database, so both are members.
    first.settle();
    second.settle();
    std::filesystem::copy_file(first.directory.path() / "instance.json",
                               second.directory.path() / "instance.json",
                               std::filesystem::copy_options::overwrite_existing);
    let_the_store_fail();
    for (int round = 0; round < rounds; ++round) {
        live(dice(tenants));
        disturb();
        take_turns(dice(2) == 0 ? first : second);
    }
    faulty = false;
    come_back();
    database->expire_leases();
    database->replay_parked();
    const auto limit = Deadline::in(Milliseconds(20'000));
    bool scanned = false;
    while (!(scanned && database->converged()) && !limit.passed()) {
        first.turn();
        second.turn();
        if (!scanned && database->converged()) {
            scanned = first.scanner.run_once(first.beat);
        }
    }
    ASSERT_TRUE(database->converged());
    expect_desired_equals_observed();
    EXPECT_EQ(server->fenced_writes, 0);
}

INSTANTIATE_TEST_SUITE_P(Seeds, Convergence, ::testing::Range(1U, 41U));

} // namespace
} // namespace tenancy::sidecar
