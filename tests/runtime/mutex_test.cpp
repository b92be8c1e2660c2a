#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include <weir/runtime/mutex.hpp>
#include <weir/runtime/yield.hpp>

#include "support/run_test.hpp"

namespace weir {
namespace {

task<> lock_once(mutex& m) { static_cast<void>(co_await m.lock()); }

task<> log_inside(mutex& m, std::vector<int>& log, int number) {
    const mutex::guard guard = co_await m.lock();
    log.push_back(number);
    co_await yield();
    log.push_back(number);
}

task<> lock_by_three(std::vector<int>& log) {
    mutex m;
    EXPECT_FALSE(m.is_locked());
    scope s;
    for (int number = 1; number <= 3; ++number) {
        s.spawn(log_inside(m, log, number));
    }
    co_await s.join();
    EXPECT_FALSE(m.is_locked());
}

TEST(MutexTest, OneTaskIsInsideAtATimeInTheOrderOfComing) {
    std::vector<int> log;
    test::run_test(lock_by_three(log));
    EXPECT_EQ(log, (std::vector<int>{1, 1, 2, 2, 3, 3}));
}

task<> wait_for_unlock() {
    mutex m;
    mutex::guard held = co_await m.lock();
    EXPECT_TRUE(m.is_locked());
    test::ending end{};
    scope s;
    s.spawn(test::observe(lock_once(m), end));
    co_await test::settle();
    EXPECT_EQ(end, test::ending::pending);
    held.release();
    EXPECT_TRUE(m.is_locked()) << "the lock goes straight to who waits";
    EXPECT_FALSE(m.try_lock());
    co_await s.join();
    EXPECT_EQ(end, test::ending::value);
    EXPECT_FALSE(m.is_locked());
}

TEST(MutexTest, ALockIsPendingUntilTheHolderUnlocks) { test::run_test(wait_for_unlock()); }

TEST(MutexTest, TryLockTakesAFreeLockOnly) {
    mutex m;
    {
        const auto first = m.try_lock();
        EXPECT_TRUE(first);
        EXPECT_FALSE(m.try_lock());
    }
    EXPECT_TRUE(m.try_lock());
}

TEST(MutexTest, AMovedGuardUnlocksOnce) {
    mutex m;
    auto first = m.try_lock();
    ASSERT_TRUE(first);
    mutex::guard second = std::move(*first);
    first.reset();
    EXPECT_TRUE(m.is_locked());
    second.release();
    EXPECT_FALSE(m.is_locked());
    second.release();
    EXPECT_FALSE(m.is_locked());
    EXPECT_TRUE(m.try_lock());
}

TEST(MutexTest, AStoppedTaskTakesNoLock) {
    mutex m;
    EXPECT_EQ(test::run_test(test::stopped_before(lock_once(m))), test::ending::canceled);
    EXPECT_FALSE(m.is_locked());
}

TEST(MutexTest, AStopEndsTheWaitAndLeavesTheLockWithItsHolder) {
    mutex m;
    auto held = m.try_lock();
    EXPECT_EQ(test::run_test(test::stopped_while_waiting(lock_once(m))), test::ending::canceled);
    EXPECT_TRUE(m.is_locked());
    held.reset();
    EXPECT_FALSE(m.is_locked());
}

task<> unlock_then_stop() {
    mutex m;
    mutex::guard held = co_await m.lock();
    stop_source source;
    test::ending first{};
    test::ending second{};
    scope s;
    s.spawn(test::observe(with_stop(source, lock_once(m)), first));
    s.spawn(test::observe(lock_once(m), second));
    co_await test::settle();
    held.release();
    source.request_stop();
    co_await s.join();
    EXPECT_EQ(first, test::ending::value) << "a lock that was granted stays granted";
    EXPECT_EQ(second, test::ending::value);
    EXPECT_FALSE(m.is_locked());
}

TEST(MutexTest, AStopAfterTheGrantKeepsTheLockAndThenPassesItOn) {
    test::run_test(unlock_then_stop());
}

}  // namespace
}  // namespace weir
