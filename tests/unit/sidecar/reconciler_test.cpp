// All threads at once, over a database and a store in memory.
#include "reconcile/reconciler.hpp"

#include <atomic>
#include <condition_variable>
#include <thread>

#include <nlohmann/json.hpp>
#include <gtest/gtest.h>

#include "reconcile/adopt.hpp"
#include "reconcile/notifications.hpp"
#include "reconcile/state_file.hpp"
#include "reconciling.hpp"

namespace tenancy::sidecar {
namespace {

// Notifications that a test sends.
class Bell {
public:
    void ring(const std::string& payload) {
        const std::lock_guard lock(mutex_);
        payloads_.push_back(payload);
        changed_.notify_all();
    }
    void interrupt() {
        const std::lock_guard lock(mutex_);
        interrupted_ = true;
        changed_.notify_all();
    }
    std::vector<std::string> wait(Deadline deadline) {
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, deadline.left(),
                          [this] { return interrupted_ || !payloads_.empty(); });
        interrupted_ = false;
        return std::exchange(payloads_, {});
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<std::string> payloads_;
    bool interrupted_ = false;
};

class FakeNotifications : public Notifications {
public:
    FakeNotifications(std::shared_ptr<Bell> bell, bool arrive)
        : bell_(std::move(bell)), arrive_(arrive) {}
    bool arrive() override { return arrive_; }
    std::vector<std::string> wait(Deadline deadline) override { return bell_->wait(deadline); }
    void interrupt() override { bell_->interrupt(); }

private:
    std::shared_ptr<Bell> bell_;
    bool arrive_;
};

class Reconciling : public ::testing::Test {
protected:
    Reconciling() {
        config.state_directory = directory.path();
        config.reconcile = quick_reconcile_config();
        config.reconcile.tick = Milliseconds(100);
        config.stores = {fake_store_config()};
    }

    SessionFactories sessions(bool arrive = true) {
        return {[this] { return fake_registry(database); },
                [this](const StoreConfig&) { return fake_store(server); },
                [this, arrive] { return std::make_unique<FakeNotifications>(bell, arrive); }};
    }

    template <typename Condition>
    static bool wait_for(Condition&& condition) {
        const auto limit = Deadline::in(Milliseconds(20'000));
        while (!condition()) {
            if (limit.passed()) {
                return false;
            }
            std::this_thread::yield();
        }
        return true;
    }

    std::shared_ptr<FakeDatabase> database = std::make_shared<FakeDatabase>("cache");
    std::shared_ptr<FakeServer> server = std::make_shared<FakeServer>();
    std::shared_ptr<Bell> bell = std::make_shared<Bell>();
    TemporaryDirectory directory;
    Config config;
    Statistics statistics;
};

TEST_F(Reconciling, ConvergesWakesUpAndStops) {
    for (unsigned i = 0; i < 50; ++i) {
        database->add(tenant_number(i));
    }
    Reconciler reconciler(config, statistics, sessions());
    EXPECT_FALSE(reconciler.ready().ready);
    reconciler.start();
    ASSERT_TRUE(wait_for([&] { return database->converged(); }));
    EXPECT_TRUE(reconciler.ready().ready);
    EXPECT_TRUE(reconciler.healthy());
    for (unsigned i = 0; i < 50; ++i) {
        database->change(tenant_number(i), "suspended", true, Json::object());
        bell->ring(print_uuid(tenant_number(i)));
    }
    ASSERT_TRUE(wait_for([&] { return database->converged(); }));
    reconciler.stop(Deadline::in(Milliseconds(10'000)));
    const std::lock_guard lock(database->mutex);
    for (const auto& [id, row] : database->rows) {
        EXPECT_EQ(row.token, 0);
    }
}

// A role of the application may notify without end: that must not become looks without end, nor
// keep a change waiting.
TEST_F(Reconciling, IsNotHeldUpByNotificationsAboutNothing) {
    config.reconcile.poll = Milliseconds(3'600'000);
    database->add(tenant_number(0));
    Reconciler reconciler(config, statistics, sessions());
    reconciler.start();
    ASSERT_TRUE(wait_for([&] { return database->converged(); }));
    std::atomic<int> claims{0};
    {
        const std::lock_guard lock(database->mutex);
        database->before = [&](std::string_view call) { claims += call == "claim" ? 1 : 0; };
    }
    auto& notified = statistics.notifications.with({});
    const auto before = notified.value();
    const auto limit = Deadline::in(Milliseconds(2'000));
    while (!limit.passed()) {
        bell->ring("*");
        std::this_thread::yield();
    }
    EXPECT_GT(notified.value(), before + 1'000);
    EXPECT_LT(claims, 100);
    database->change(tenant_number(0), "suspended", true, Json::object());
    bell->ring(print_uuid(tenant_number(0)));
    EXPECT_TRUE(wait_for([&] { return database->converged(); }));
    reconciler.stop(Deadline::in(Milliseconds(10'000)));
}

TEST_F(Reconciling, FindsWorkWithoutNotificationsToo) {
    config.reconcile.poll = Milliseconds(20);
    Reconciler reconciler(config, statistics, sessions(false));
    reconciler.start();
    ASSERT_TRUE(wait_for([&] { return !reconciler.ready().observing; }));
    database->add(tenant_number(1));
    EXPECT_TRUE(wait_for([&] { return database->converged(); }));
}

TEST_F(Reconciling, GoesOnOnceTheStoreIsBack) {
    std::atomic<bool> down{true};
    server->before = [&](std::string_view) {
        if (down) {
            throw Unavailable("Unreachable", "down");
        }
    };
    database->add(tenant_number(1));
    Reconciler reconciler(config, statistics, sessions());
    reconciler.start();
    ASSERT_TRUE(wait_for([&] { return statistics.unavailable.with({"cache"}).value() > 3; }));
    // A store that is down is no reason to be replaced.
    EXPECT_TRUE(wait_for([&] { return reconciler.ready().ready; }));
    EXPECT_TRUE(reconciler.healthy());
    down = false;
    EXPECT_TRUE(wait_for([&] { return database->converged(); }));
}

TEST_F(Reconciling, OnACopyOnlyAnAdoptionLetsItWrite) {
    {
        Reconciler original(config, statistics, sessions());
        original.start();
        ASSERT_TRUE(wait_for([&] {
            const std::lock_guard lock(database->mutex);
            return database->definition.stamped;
        }));
    }
    database->identity.live_system_identifier = "78";
    database->add(tenant_number(1));
    const auto before = server->stamp;
    {
        Reconciler copy(config, statistics, sessions());
        copy.start();
        ASSERT_TRUE(wait_for([&] { return copy.ready().ready; }));
        EXPECT_TRUE(copy.ready().observing);
    }
    EXPECT_EQ(server->stamp, before);
    EXPECT_EQ(server->writes, 0);
    EXPECT_THROW((void)adopt(config, AdoptAs::member, {}, sessions()), AdoptError);
    const auto adoption = adopt(config, AdoptAs::replacement, {}, sessions());
    EXPECT_EQ(adoption.epoch, 2);
    ASSERT_EQ(adoption.stores.size(), 1U);
    EXPECT_TRUE(adoption.stores.front().stamped) << adoption.stores.front().message;
    Reconciler replacement(config, statistics, sessions());
    replacement.start();
    EXPECT_TRUE(wait_for([&] { return database->converged(); }));
}

TEST_F(Reconciling, AnAdoptionLeavesAStoreOfAnotherInstanceUnlessItIsNamed) {
    database->identity.bound = true;
    database->identity.epoch = 1;
    server->stamp = Stamp{Uuid{{99}}, "cache", 1, 1};
    auto adoption = adopt(config, AdoptAs::member, {}, sessions());
    EXPECT_FALSE(adoption.stores.front().stamped);
    EXPECT_EQ(read_state_file(directory.path())->id, database->identity.id);
    adoption = adopt(config, AdoptAs::member, "cache", sessions());
    EXPECT_TRUE(adoption.stores.front().stamped);
    EXPECT_THROW((void)adopt(config, AdoptAs::member, "other", sessions()), ConfigError);
    server->stamp->store = "sessions";
    EXPECT_FALSE(adopt(config, AdoptAs::member, {}, sessions()).stores.front().stamped);
    EXPECT_TRUE(adopt(config, AdoptAs::member, "cache", sessions()).stores.front().stamped);
    EXPECT_EQ(server->stamp->store, "cache");
}

// The host's configuration may lead to an empty server.
TEST_F(Reconciling, AnAdoptionLeavesAStoreThatLostItsStampUnlessItIsNamed) {
    database->identity.bound = true;
    database->identity.epoch = 1;
    database->definition.stamped = true;
    for (const auto as : {AdoptAs::member, AdoptAs::replacement}) {
        EXPECT_FALSE(adopt(config, as, {}, sessions()).stores.front().stamped);
        EXPECT_FALSE(server->stamp.has_value());
    }
    EXPECT_TRUE(adopt(config, AdoptAs::member, "cache", sessions()).stores.front().stamped);
}

TEST_F(Reconciling, AReplacementThatWasPutBackGoesBeyondEveryEpochThatIsKnown) {
    database->identity.bound = true;
    database->identity.epoch = 1;
    server->stamp = Stamp{database->identity.id, "cache", 5, 1000};
    EXPECT_EQ(adopt(config, AdoptAs::replacement, {}, sessions()).epoch, 6);
    EXPECT_EQ(server->stamp->epoch, 6);
    server->stamp->epoch = std::int64_t{1} << 40;
    EXPECT_THROW((void)adopt(config, AdoptAs::replacement, {}, sessions()), AdoptError);
    EXPECT_EQ(database->identity.epoch, 6);
}

TEST_F(Reconciling, ACloneTouchesNoStore) {
    database->identity.bound = true;
    server->stamp = Stamp{database->identity.id, "cache", 1, 1};
    const auto before = server->stamp;
    EXPECT_TRUE(adopt(config, AdoptAs::clone, {}, sessions()).stores.empty());
    EXPECT_EQ(server->stamp, before);
}

} // namespace
} // namespace tenancy::sidecar
