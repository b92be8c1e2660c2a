#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include <weir/runtime/condition.hpp>

#include "support/run_test.hpp"

namespace weir {
namespace {

// A value under a mutex, and the condition that it has changed.
struct shared_value {
    mutex m;
    condition changed;
    int value = 0;
};

task<> wait_until_at_least(shared_value& shared, int wanted, std::vector<int>& log) {
    mutex::guard guard = co_await shared.m.lock();
    while (shared.value < wanted) {
        co_await shared.changed.wait(shared.m, guard);
        EXPECT_TRUE(shared.m.is_locked());
    }
    log.push_back(wanted);
}

task<> wait_once(shared_value& shared) {
    mutex::guard guard = co_await shared.m.lock();
    co_await shared.changed.wait(shared.m, guard);
}

task<> raise_step_by_step(std::vector<int>& log) {
    shared_value shared;
    scope s;
    s.spawn(wait_until_at_least(shared, 2, log));
    s.spawn(wait_until_at_least(shared, 1, log));
    co_await test::settle();
    EXPECT_FALSE(shared.m.is_locked()) << "a waiter does not hold the lock";
    for (shared.value = 1; shared.value <= 2; ++shared.value) {
        EXPECT_EQ(log.size(), static_cast<std::size_t>(shared.value) - 1);
        shared.changed.notify_all();
        co_await test::settle();
    }
    co_await s.join();
}

TEST(ConditionTest, WaitersArePendingUntilWhatTheyWaitForHolds) {
    std::vector<int> log;
    test::run_test(raise_step_by_step(log));
    EXPECT_EQ(log, (std::vector<int>{1, 2}));
}

task<> wait_and_log(shared_value& shared, std::vector<int>& log, int number) {
    mutex::guard guard = co_await shared.m.lock();
    co_await shared.changed.wait(shared.m, guard);
    log.push_back(number);
}

task<> notify_one_by_one(std::vector<int>& log) {
    shared_value shared;
    scope s;
    for (int number = 1; number <= 3; ++number) {
        s.spawn(wait_and_log(shared, log, number));
    }
    co_await test::settle();
    for (int number = 1; number <= 3; ++number) {
        EXPECT_EQ(log.size(), static_cast<std::size_t>(number) - 1);
        shared.changed.notify_one();
        co_await test::settle();
    }
    co_await s.join();
}

TEST(ConditionTest, NotifyOneWakesTheFirst) {
    std::vector<int> log;
    test::run_test(notify_one_by_one(log));
    EXPECT_EQ(log, (std::vector<int>{1, 2, 3}));
}

task<> notify_before_the_wait() {
    shared_value shared;
    shared.changed.notify_one();
    shared.changed.notify_all();
    test::ending end{};
    scope s;
    s.spawn(test::observe(wait_once(shared), end));
    co_await test::settle();
    EXPECT_EQ(end, test::ending::pending);
    shared.changed.notify_one();
    co_await s.join();
    EXPECT_EQ(end, test::ending::value);
}

TEST(ConditionTest, ANotificationIsNotStored) { test::run_test(notify_before_the_wait()); }

task<> notified_but_locked() {
    shared_value shared;
    test::ending end{};
    scope s;
    s.spawn(test::observe(wait_once(shared), end));
    co_await test::settle();
    mutex::guard held = co_await shared.m.lock();
    shared.changed.notify_one();
    co_await test::settle();
    EXPECT_EQ(end, test::ending::pending) << "the lock has to be free as well";
    held.release();
    co_await s.join();
    EXPECT_EQ(end, test::ending::value);
}

TEST(ConditionTest, AWaiterLocksAgainBeforeItGoesOn) { test::run_test(notified_but_locked()); }

task<> stop_and_look(shared_value& shared, bool& holds_lock) {
    mutex::guard guard = co_await shared.m.lock();
    try {
        co_await shared.changed.wait(shared.m, guard);
    } catch (const canceled&) {
        holds_lock = shared.m.is_locked();
        throw;
    }
}

TEST(ConditionTest, AStopEndsTheWaitWithoutTheLock) {
    shared_value shared;
    bool holds_lock = true;
    EXPECT_EQ(test::run_test(test::stopped_while_waiting(stop_and_look(shared, holds_lock))),
              test::ending::canceled);
    EXPECT_FALSE(holds_lock);
    EXPECT_FALSE(shared.m.is_locked());
}

task<> stop_between_lock_and_wait(shared_value& shared, stop_source& source, bool& holds_lock) {
    mutex::guard guard = co_await shared.m.lock();
    source.request_stop();
    try {
        co_await shared.changed.wait(shared.m, guard);
    } catch (const canceled&) {
        holds_lock = shared.m.is_locked();
        throw;
    }
}

TEST(ConditionTest, AStoppedTaskDoesNotWaitAndLosesTheLock) {
    shared_value shared;
    stop_source source;
    bool holds_lock = true;
    test::ending end{};
    test::run_test(test::observe(
        with_stop(source, stop_between_lock_and_wait(shared, source, holds_lock)), end));
    EXPECT_EQ(end, test::ending::canceled);
    EXPECT_FALSE(holds_lock);
}

task<> notify_who_is_stopped_at_once(test::ending& stopped, test::ending& next) {
    shared_value shared;
    stop_source source;
    scope s;
    s.spawn(test::observe(with_stop(source, wait_once(shared)), stopped));
    s.spawn(test::observe(wait_once(shared), next));
    co_await test::settle();
    shared.changed.notify_one();
    source.request_stop();
    co_await s.join();
}

TEST(ConditionTest, ANotificationThatAStoppedTaskCannotUseGoesToTheNext) {
    test::ending stopped{};
    test::ending next{};
    test::run_test(notify_who_is_stopped_at_once(stopped, next));
    EXPECT_EQ(stopped, test::ending::canceled);
    EXPECT_EQ(next, test::ending::value);
}

task<> stop_while_it_waits_for_the_lock(test::ending& stopped, test::ending& next) {
    shared_value shared;
    stop_source source;
    scope s;
    s.spawn(test::observe(with_stop(source, wait_once(shared)), stopped));
    s.spawn(test::observe(wait_once(shared), next));
    co_await test::settle();
    mutex::guard held = co_await shared.m.lock();
    shared.changed.notify_one();
    co_await test::settle();
    source.request_stop();
    co_await test::settle();
    EXPECT_EQ(stopped, test::ending::canceled);
    EXPECT_EQ(next, test::ending::pending) << "notified, and behind the lock";
    held.release();
    co_await s.join();
}

TEST(ConditionTest, AStopBetweenNotificationAndLockPassesTheNotificationOn) {
    test::ending stopped{};
    test::ending next{};
    test::run_test(stop_while_it_waits_for_the_lock(stopped, next));
    EXPECT_EQ(next, test::ending::value);
}

task<> destroy_with_waiter() {
    mutex m;
    auto changed = std::make_unique<condition>();
    scope s;
    s.spawn([](mutex& lock, condition& waited_for) -> task<> {
        mutex::guard guard = co_await lock.lock();
        co_await waited_for.wait(lock, guard);
    }(m, *changed));
    co_await test::settle();
    changed.reset();
    co_await s.join();
}

TEST(ConditionDeathTest, DestroyingAConditionWithWaitersEndsTheProcess) {
    EXPECT_DEATH(test::run_test(destroy_with_waiter()),
                 "a condition outlives those who wait for it");
}

}  // namespace
}  // namespace weir
