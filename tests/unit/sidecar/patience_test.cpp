// What waits and what ends: backoff, breaker, lease, wake-ups.
#include <thread>

#include <gtest/gtest.h>

#include "reconcile/backoff.hpp"
#include "reconcile/breaker.hpp"
#include "reconcile/lease.hpp"
#include "reconcile/pace.hpp"
#include "reconcile/wakeup.hpp"

namespace tenancy::sidecar {
namespace {

constexpr Milliseconds first{100};
constexpr Milliseconds most{1000};

TEST(Backoff, DoublesUpToItsLimit) {
    EXPECT_EQ(backoff(first, most, 1, 0.999), Milliseconds(100));
    EXPECT_EQ(backoff(first, most, 2, 0.999), Milliseconds(200));
    EXPECT_EQ(backoff(first, most, 4, 0.999), Milliseconds(800));
    EXPECT_EQ(backoff(first, most, 5, 0.999), Milliseconds(1000));
    EXPECT_EQ(backoff(first, most, 1'000'000, 0.999), Milliseconds(1000));
}

TEST(Backoff, SpreadsOverTheWholeWaitButIsNeverZero) {
    EXPECT_EQ(backoff(first, most, 4, 0.0), Milliseconds(1));
    EXPECT_EQ(backoff(first, most, 4, 0.5), Milliseconds(401));
    for (int i = 0; i < 1000; ++i) {
        const auto fraction = random_fraction();
        EXPECT_GE(fraction, 0.0);
        EXPECT_LT(fraction, 1.0);
    }
}

TEST(Backoff, JittersPeriodsByATenth) {
    EXPECT_EQ(jittered(Milliseconds(1000), 0.0), Milliseconds(900));
    EXPECT_EQ(jittered(Milliseconds(1000), 0.5), Milliseconds(1000));
}

// Without a wait: fraction 0 picks one millisecond.
Breaker quick(unsigned at_once = 8) {
    return Breaker(Milliseconds(1), Milliseconds(1), at_once, [] { return 0.0; });
}

void begin_probe_soon(Breaker& breaker) {
    const auto limit = Deadline::in(Milliseconds(5000));
    while (!breaker.begin_probe()) {
        ASSERT_FALSE(limit.passed());
        std::this_thread::yield();
    }
}

TEST(Breaker, AllowsAllWhileClosed) {
    const auto breaker = quick();
    EXPECT_EQ(breaker.state(), Breaker::State::closed);
    EXPECT_EQ(breaker.allowed(Task::keep), 8U);
}

TEST(Breaker, AllowsNothingUntilAProbeSucceeded) {
    auto breaker = quick();
    breaker.failed();
    EXPECT_NE(breaker.state(), Breaker::State::closed);
    EXPECT_EQ(breaker.allowed(Task::keep), 0U);
    begin_probe_soon(breaker);
    EXPECT_EQ(breaker.state(), Breaker::State::half_open);
    EXPECT_EQ(breaker.allowed(Task::keep), 0U);
    EXPECT_FALSE(breaker.begin_probe()) << "one probe at a time";
    breaker.succeeded();
    EXPECT_EQ(breaker.state(), Breaker::State::closed);
}

TEST(Breaker, RampsUpAfterAnOutage) {
    auto breaker = quick();
    breaker.failed();
    begin_probe_soon(breaker);
    breaker.succeeded();
    std::vector<unsigned> seen;
    for (int i = 0; i < 5; ++i) {
        seen.push_back(breaker.allowed(Task::keep));
        breaker.worked(Task::keep, breaker.allowed(Task::keep));
    }
    EXPECT_EQ(seen, (std::vector<unsigned>{1, 2, 4, 8, 8}));
}

TEST(Breaker, DoesNotRampByBatchesThatWereNotFull) {
    auto breaker = quick();
    breaker.failed();
    begin_probe_soon(breaker);
    breaker.succeeded();
    breaker.worked(Task::keep, 1);
    EXPECT_EQ(breaker.allowed(Task::keep), 2U);
    breaker.worked(Task::keep, 1);
    EXPECT_EQ(breaker.allowed(Task::keep), 2U);
}

TEST(Breaker, RampsEachTaskForItself) {
    auto breaker = quick();
    breaker.slowed(Task::keep);
    breaker.worked(Task::erase, 8);
    EXPECT_EQ(breaker.allowed(Task::keep), 1U);
    EXPECT_EQ(breaker.allowed(Task::erase), 8U);
    breaker.slowed(Task::erase);
    breaker.worked(Task::keep, 1);
    EXPECT_EQ(breaker.allowed(Task::keep), 2U);
    EXPECT_EQ(breaker.allowed(Task::erase), 1U);
}

TEST(Breaker, IsNotClosedByALateSuccess) {
    auto breaker = quick();
    breaker.failed();
    breaker.worked(Task::keep, 8);
    EXPECT_NE(breaker.state(), Breaker::State::closed);
    begin_probe_soon(breaker);
    breaker.worked(Task::keep, 8);
    EXPECT_NE(breaker.state(), Breaker::State::closed);
}

TEST(Breaker, WaitsLongerWithEveryFailedProbeAndForgetsOnceItWorks) {
    Breaker breaker(Milliseconds(1), Milliseconds(3'600'000), 8, [] { return 0.999; });
    auto wait = Milliseconds::zero();
    for (int i = 0; i < 3; ++i) {
        breaker.failed();
        EXPECT_GE(breaker.wait_left(), wait);
        wait = breaker.wait_left();
        begin_probe_soon(breaker);
    }
    EXPECT_EQ(breaker.wait_left(), Milliseconds::zero());
    breaker.succeeded();
    breaker.worked(Task::keep, 1);
    breaker.failed();
    EXPECT_LE(breaker.wait_left(), Milliseconds(1));
}

TEST(Breaker, CountsOneOutageOnce) {
    Breaker breaker(Milliseconds(3'600'000), Milliseconds(36'000'000), 8, [] { return 0.999; });
    breaker.failed();
    const auto wait = breaker.wait_left();
    breaker.failed();
    EXPECT_LE(breaker.wait_left(), wait);
    EXPECT_FALSE(breaker.begin_probe());
}

TEST(Pace, LooksAtOnceAndLessAndLessOftenInVain) {
    Pace pace;
    for (int i = 0; i <= Pace::free_looks; ++i) {
        EXPECT_TRUE(pace.next_look(0).passed()) << i;
    }
    auto before = Milliseconds::zero();
    for (int i = 0; i < 10; ++i) {
        const auto pause = pace.next_look(0).left();
        EXPECT_GE(pause, before) << i;
        EXPECT_LE(pause, Pace::most) << i;
        before = pause;
    }
    EXPECT_GT(before, Pace::most / 2);
}

TEST(Pace, LooksAtOnceAfterALookThatFoundSomething) {
    Pace pace;
    for (std::uint64_t i = 0; i < 100; ++i) {
        EXPECT_TRUE(pace.next_look(i).passed()) << i;
    }
    for (int i = 0; i < 10; ++i) {
        (void)pace.next_look(99);
    }
    EXPECT_FALSE(pace.next_look(99).passed());
    EXPECT_TRUE(pace.next_look(100).passed());
}

TEST(Lease, EndsBeforeItEndsForOthers) {
    const Lease lease(Milliseconds(10'000));
    EXPECT_FALSE(lease.over());
    EXPECT_FALSE(lease.wants_extension());
    EXPECT_LE(lease.end().left(), Milliseconds(8'000));
    EXPECT_GT(lease.end().left(), Milliseconds(7'000));
    EXPECT_TRUE(Lease(Milliseconds(0)).over());
}

TEST(Wakeup, KeepsASignalUntilItIsTaken) {
    Wakeup wakeup;
    wakeup.signal();
    wakeup.signal();
    EXPECT_TRUE(wakeup.wait(Milliseconds(0)));
    EXPECT_FALSE(wakeup.wait(Milliseconds(0)));
}

TEST(Wakeup, WakesAWaitingThread) {
    Wakeup wakeup;
    bool woken = false;
    std::thread waiting([&] { woken = wakeup.wait(Milliseconds(60'000)); });
    wakeup.signal();
    waiting.join();
    EXPECT_TRUE(woken);
}

TEST(Wakeup, IsOverForGoodOnceStopped) {
    Wakeup wakeup;
    std::thread waiting([&] { EXPECT_FALSE(wakeup.wait(Milliseconds(60'000))); });
    wakeup.stop();
    waiting.join();
    EXPECT_TRUE(wakeup.stopped());
    wakeup.signal();
    EXPECT_FALSE(wakeup.wait(Milliseconds(60'000)));
}

} // namespace
} // namespace tenancy::sidecar
