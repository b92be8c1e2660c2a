#include <gtest/gtest.h>

#include <vector>

#include <weir/runtime/yield.hpp>

#include "support/run_test.hpp"

namespace weir {
namespace {

task<> log_and_yield(std::vector<int>& log, int number, int times) {
    for (int turn = 0; turn < times; ++turn) {
        log.push_back(number);
        co_await yield();
    }
}

task<> take_turns(std::vector<int>& log) {
    scope s;
    s.spawn(log_and_yield(log, 1, 3));
    s.spawn(log_and_yield(log, 2, 3));
    s.spawn(log_and_yield(log, 3, 2));
    co_await s.join();
}

TEST(YieldTest, TasksThatYieldTakeTurns) {
    std::vector<int> log;
    test::run_test(take_turns(log));
    EXPECT_EQ(log, (std::vector<int>{1, 2, 3, 1, 2, 3, 1, 2}));
}

task<> yield_once(std::vector<int>& log) {
    scope s;
    s.spawn(log_and_yield(log, 1, 1));
    log.push_back(0);
    co_await yield();
    log.push_back(2);
    co_await s.join();
}

TEST(YieldTest, WhatIsReadyRunsBeforeTheYieldEnds) {
    std::vector<int> log;
    test::run_test(yield_once(log));
    EXPECT_EQ(log, (std::vector<int>{0, 1, 2}));
}

task<> yield_for_ever(std::vector<int>& log) { co_await log_and_yield(log, 1, 1'000'000'000); }

TEST(YieldTest, AStoppedTaskDoesNotYield) {
    std::vector<int> log;
    EXPECT_EQ(test::run_test(test::stopped_before(yield_for_ever(log))), test::ending::canceled);
    EXPECT_EQ(log.size(), 1U);
}

task<> stop_after_a_turn(std::vector<int>& log, test::ending& end) {
    stop_source source;
    scope s;
    s.spawn(test::observe(with_stop(source, yield_for_ever(log)), end));
    co_await yield();
    EXPECT_EQ(log.size(), 1U);
    source.request_stop();
    co_await s.join();
}

TEST(YieldTest, AStopDuringAYieldEndsIt) {
    std::vector<int> log;
    test::ending end{};
    test::run_test(stop_after_a_turn(log, end));
    EXPECT_EQ(end, test::ending::canceled);
    EXPECT_EQ(log.size(), 1U);
}

task<> yield_often(int times) {
    for (int turn = 0; turn < times; ++turn) {
        co_await yield();
    }
}

TEST(YieldTest, AHundredThousandYieldsMakeNoSystemCall) {
    test::virtual_loop on;
    on.run(yield_often(1));
    const loop_counters before = on.loop().counters();
    on.run(yield_often(100'000));
    const loop_counters after = on.loop().counters();
    EXPECT_GE(after.resumes - before.resumes, 100'000U);
    EXPECT_LE(after.enters - before.enters, 1U);
}

}  // namespace
}  // namespace weir
