#include <gtest/gtest.h>

#include <vector>

#include <weir/runtime/latch.hpp>

#include "support/run_test.hpp"

namespace weir {
namespace {

task<> wait_on(latch& done) { co_await done.wait(); }

task<> wait_and_log(latch& done, std::vector<int>& log, int number) {
    co_await done.wait();
    log.push_back(number);
}

task<> count_three_down(std::vector<int>& log) {
    latch done(3);
    scope s;
    s.spawn(wait_and_log(done, log, 1));
    s.spawn(wait_and_log(done, log, 2));
    for (std::size_t left = 3; left > 0; --left) {
        co_await test::settle();
        EXPECT_TRUE(log.empty());
        EXPECT_EQ(done.count(), left);
        done.count_down();
    }
    co_await s.join();
    EXPECT_EQ(done.count(), 0U);
    co_await done.wait();
}

TEST(LatchTest, WaitersArePendingUntilTheCountIsZero) {
    std::vector<int> log;
    test::run_test(count_three_down(log));
    EXPECT_EQ(log, (std::vector<int>{1, 2}));
}

task<> count_several_at_once(test::ending& end) {
    latch done(5);
    scope s;
    s.spawn(test::observe(wait_on(done), end));
    done.count_down(4);
    co_await test::settle();
    EXPECT_EQ(end, test::ending::pending);
    done.count_down(0);
    co_await test::settle();
    EXPECT_EQ(end, test::ending::pending);
    done.count_down(1);
    co_await s.join();
}

TEST(LatchTest, SeveralMayBeCountedAtOnce) {
    test::ending end{};
    test::run_test(count_several_at_once(end));
    EXPECT_EQ(end, test::ending::value);
}

TEST(LatchTest, ALatchOfZeroIsOpen) {
    latch open(0);
    test::run_test(wait_on(open));
    open.count_down(0);
    EXPECT_EQ(open.count(), 0U);
}

TEST(LatchTest, AStopEndsTheWait) {
    latch done(1);
    EXPECT_EQ(test::run_test(test::stopped_while_waiting(wait_on(done))), test::ending::canceled);
    EXPECT_EQ(done.count(), 1U);
}

TEST(LatchTest, AStoppedTaskDoesNotWait) {
    latch done(1);
    EXPECT_EQ(test::run_test(test::stopped_before(wait_on(done))), test::ending::canceled);
}

TEST(LatchDeathTest, CountingBelowZeroEndsTheProcess) {
    latch done(2);
    done.count_down();
    EXPECT_DEATH(done.count_down(2), "a latch is not counted down below zero");
}

}  // namespace
}  // namespace weir
