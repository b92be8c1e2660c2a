#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <weir/runtime/event.hpp>
#include <weir/runtime/semaphore.hpp>
#include <weir/runtime/yield.hpp>

#include "support/run_test.hpp"

namespace weir {
namespace {

task<> take(semaphore& s, std::size_t count = 1) { static_cast<void>(co_await s.acquire(count)); }

// Notes when it has its permits; keeps them until `leave`.
struct holder {
    std::vector<std::string>* log;
    event leave;
};

task<> hold(semaphore& s, std::size_t count, holder& who, std::string name) {
    const semaphore::permit held = co_await s.acquire(count);
    who.log->push_back(std::move(name));
    co_await who.leave.wait();
}

class SemaphoreCapacityTest : public testing::TestWithParam<std::size_t> {};

task<> count_running(semaphore& s, std::size_t& running, std::size_t& running_max) {
    const semaphore::permit held = co_await s.acquire();
    running_max = std::max(running_max, ++running);
    co_await yield();
    co_await yield();
    --running;
}

task<> run_twenty(std::size_t permits, std::size_t& running_max) {
    semaphore limit(permits);
    std::size_t running = 0;
    scope s;
    for (int number = 0; number < 20; ++number) {
        s.spawn(count_running(limit, running, running_max));
    }
    co_await s.join();
    EXPECT_EQ(limit.available(), permits);
}

TEST_P(SemaphoreCapacityTest, AsManyRunAsThereArePermitsAndNoMore) {
    std::size_t running_max = 0;
    test::run_test(run_twenty(GetParam(), running_max));
    EXPECT_EQ(running_max, GetParam());
}

INSTANTIATE_TEST_SUITE_P(OneTwoThree, SemaphoreCapacityTest, testing::Values(1U, 2U, 3U));

task<> pending_then_granted() {
    semaphore s(1);
    semaphore::permit held = co_await s.acquire();
    EXPECT_EQ(s.available(), 0U);
    test::ending end{};
    scope children;
    children.spawn(test::observe(take(s), end));
    co_await test::settle();
    EXPECT_EQ(end, test::ending::pending);
    held.release();
    EXPECT_EQ(end, test::ending::pending) << "a grant goes through the ready queue";
    co_await children.join();
    EXPECT_EQ(end, test::ending::value);
    EXPECT_EQ(s.available(), 1U);
}

TEST(SemaphoreTest, AnAcquireIsPendingUntilAPermitIsGivenBack) {
    test::run_test(pending_then_granted());
}

task<> no_barging() {
    semaphore s(1);
    semaphore::permit held = co_await s.acquire();
    test::ending waiter{};
    scope children;
    children.spawn(test::observe(take(s), waiter));
    co_await test::settle();
    held.release();
    EXPECT_EQ(s.available(), 0U) << "the permit belongs to the waiter before it runs";
    EXPECT_FALSE(s.try_acquire());
    const semaphore::permit mine = co_await s.acquire();
    EXPECT_EQ(waiter, test::ending::value) << "who came first was first";
    co_await children.join();
}

TEST(SemaphoreTest, AWaiterIsNotOvertaken) { test::run_test(no_barging()); }

task<> weighted(std::vector<std::string>& log) {
    semaphore s(3);
    holder two{.log = &log, .leave = {}};
    holder large{.log = &log, .leave = {}};
    holder small{.log = &log, .leave = {}};
    scope children;
    children.spawn(hold(s, 2, two, "two"));
    children.spawn(hold(s, 3, large, "three"));
    children.spawn(hold(s, 1, small, "one"));
    co_await test::settle();
    EXPECT_EQ(log, std::vector<std::string>{"two"});
    EXPECT_EQ(s.available(), 1U);
    EXPECT_FALSE(s.try_acquire()) << "one is free, but somebody waits for more";
    two.leave.set();
    co_await test::settle();
    EXPECT_EQ(log, (std::vector<std::string>{"two", "three"}));
    large.leave.set();
    small.leave.set();
    co_await children.join();
    EXPECT_EQ(s.available(), 3U);
}

TEST(SemaphoreTest, ALargeRequestIsNotStarvedBySmallOnesBehindIt) {
    std::vector<std::string> log;
    test::run_test(weighted(log));
    EXPECT_EQ(log, (std::vector<std::string>{"two", "three", "one"}));
}

task<> stop_the_large_one(std::vector<std::string>& log) {
    semaphore s(2);
    const semaphore::permit held = co_await s.acquire();
    stop_source source;
    holder small{.log = &log, .leave = {}};
    test::ending large{};
    scope children;
    children.spawn(test::observe(with_stop(source, take(s, 2)), large));
    children.spawn(hold(s, 1, small, "one"));
    co_await test::settle();
    EXPECT_TRUE(log.empty());
    source.request_stop();
    co_await test::settle();
    EXPECT_EQ(large, test::ending::canceled);
    EXPECT_EQ(log, std::vector<std::string>{"one"}) << "whoever stood behind fits now";
    small.leave.set();
    co_await children.join();
}

TEST(SemaphoreTest, AStoppedLargeRequestLetsTheNextOneIn) {
    std::vector<std::string> log;
    test::run_test(stop_the_large_one(log));
}

task<> grant_several(std::vector<std::string>& log) {
    semaphore s(0);
    holder who{.log = &log, .leave = {}};
    scope children;
    for (const char* const name : {"a", "b", "c"}) {
        children.spawn(hold(s, 1, who, name));
    }
    co_await test::settle();
    s.release(2);
    co_await test::settle();
    EXPECT_EQ(log, (std::vector<std::string>{"a", "b"}));
    EXPECT_EQ(s.available(), 0U);
    s.release(2);
    co_await test::settle();
    EXPECT_EQ(log, (std::vector<std::string>{"a", "b", "c"}));
    EXPECT_EQ(s.available(), 1U);
    who.leave.set();
    co_await children.join();
    EXPECT_EQ(s.available(), 4U);
}

TEST(SemaphoreTest, ReleaseGrantsAsManyAsFit) {
    std::vector<std::string> log;
    test::run_test(grant_several(log));
}

TEST(SemaphoreTest, TryAcquireTakesWhatIsThere) {
    semaphore s(3);
    const auto two = s.try_acquire(2);
    EXPECT_TRUE(two);
    EXPECT_FALSE(s.try_acquire(2));
    const auto one = s.try_acquire();
    EXPECT_TRUE(one);
    EXPECT_EQ(s.available(), 0U);
}

TEST(SemaphoreTest, APermitGivesBackItsWeightOnce) {
    semaphore s(5);
    auto first = s.try_acquire(3);
    ASSERT_TRUE(first);
    semaphore::permit moved = std::move(*first);
    first.reset();
    EXPECT_EQ(s.available(), 2U);
    semaphore::permit& same = moved;
    moved = std::move(same);
    EXPECT_EQ(s.available(), 2U);
    moved = semaphore::permit();
    EXPECT_EQ(s.available(), 5U);
    moved.release();
    EXPECT_EQ(s.available(), 5U);
}

TEST(SemaphoreTest, AssigningAPermitGivesTheOldOneBack) {
    semaphore s(3);
    auto one = s.try_acquire(1);
    auto two = s.try_acquire(2);
    *one = std::move(*two);
    EXPECT_EQ(s.available(), 1U);
    one.reset();
    EXPECT_EQ(s.available(), 3U);
}

TEST(SemaphoreTest, AStoppedTaskTakesNothing) {
    semaphore s(1);
    EXPECT_EQ(test::run_test(test::stopped_before(take(s))), test::ending::canceled);
    EXPECT_EQ(s.available(), 1U);
}

TEST(SemaphoreTest, AStopEndsTheWaitAndTakesNothing) {
    semaphore s(1);
    EXPECT_EQ(test::run_test(test::stopped_while_waiting(take(s, 2))), test::ending::canceled);
    EXPECT_EQ(s.available(), 1U);
}

task<> grant_then_stop() {
    semaphore s(1);
    semaphore::permit held = co_await s.acquire();
    stop_source source;
    test::ending granted{};
    test::ending behind{};
    scope children;
    children.spawn(test::observe(with_stop(source, take(s)), granted));
    children.spawn(test::observe(take(s), behind));
    co_await test::settle();
    EXPECT_EQ(granted, test::ending::pending);
    held.release();
    source.request_stop();
    co_await children.join();
    EXPECT_EQ(granted, test::ending::value) << "what was granted before the stop is kept";
    EXPECT_EQ(behind, test::ending::value) << "and given back to who stood behind";
    EXPECT_EQ(s.available(), 1U);
}

TEST(SemaphoreTest, AStopAfterTheGrantKeepsThePermitAndGivesItBack) {
    test::run_test(grant_then_stop());
}

task<> stop_everybody() {
    semaphore s(0);
    stop_source source;
    std::vector<test::ending> ends(10);
    scope children;
    for (test::ending& end : ends) {
        children.spawn(test::observe(with_stop(source, take(s)), end));
    }
    co_await test::settle();
    source.request_stop();
    co_await children.join();
    for (const test::ending end : ends) {
        EXPECT_EQ(end, test::ending::canceled);
    }
    s.release();
    EXPECT_EQ(s.available(), 1U);
}

TEST(SemaphoreTest, AStopMayEndAllWaitersAtOnce) { test::run_test(stop_everybody()); }

task<> destroy_with_waiter() {
    auto s = std::make_unique<semaphore>(0);
    scope children;
    children.spawn(take(*s));
    co_await test::settle();
    s.reset();
    co_await children.join();
}

TEST(SemaphoreDeathTest, DestroyingASemaphoreWithWaitersEndsTheProcess) {
    EXPECT_DEATH(test::run_test(destroy_with_waiter()),
                 "a semaphore outlives those who wait for it");
}

}  // namespace
}  // namespace weir
