#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

#include <weir/runtime/nop.hpp>
#include <weir/runtime/when_any.hpp>

#include "support/failing_allocations.hpp"
#include "support/fake_driver.hpp"
#include "support/run_test.hpp"

namespace weir {
namespace {

using namespace std::chrono_literals;

task<int> give(int number, duration after) {
    co_await sleep_for(after);
    co_return number;
}

task<std::string> give_text(std::string text, duration after) {
    co_await sleep_for(after);
    co_return text;
}

task<> nothing_after(duration length) { co_await sleep_for(length); }

task<int> remember_ending(test::ending& end, duration length) {
    co_await test::observe(nothing_after(length), end);
    co_return 0;
}

task<int> fail(duration after) {
    co_await sleep_for(after);
    throw std::runtime_error("lost");
}

task<> race_three() {
    const time_point start = scheduler::current()->now();
    test::ending loser{};
    auto first =
        co_await when_any(remember_ending(loser, 9s), give_text("quick", 2s), nothing_after(5s));
    EXPECT_EQ(first.index, 1U);
    EXPECT_EQ(std::get<1>(first.value), "quick");
    EXPECT_EQ(loser, test::ending::canceled) << "losers are stopped, and joined before the end";
    EXPECT_EQ(scheduler::current()->now(), start + 2s);
}

TEST(WhenAnyTest, TheFirstToEndWinsAndTheOthersAreStopped) { test::run_test(race_three()); }

TEST(WhenAnyTest, AVoidTaskMayWin) {
    const auto first = test::run_test(when_any(give(1, 2s), nothing_after(1s)));
    EXPECT_EQ(first.index, 1U);
    EXPECT_EQ(first.value.index(), 1U);
}

TEST(WhenAnyTest, EqualTypesAreToldApartByTheirIndex) {
    const auto first = test::run_test(when_any(give(1, 3s), give(2, 2s), give(3, 4s)));
    EXPECT_EQ(first.index, 1U);
    EXPECT_EQ(std::get<1>(first.value), 2);
}

TEST(WhenAnyTest, OfOneIsThatOne) {
    const auto only = test::run_test(when_any(give(5, 1s)));
    EXPECT_EQ(only.index, 0U);
    EXPECT_EQ(std::get<0>(only.value), 5);
}

TEST(WhenAnyTest, OfEquallyQuickOnesTheFirstArgumentWins) {
    const auto first = test::run_test(when_any(give(1, 1s), give(2, 1s)));
    EXPECT_EQ(first.index, 0U);
}

TEST(WhenAnyTest, AVectorYieldsIndexAndValue) {
    std::vector<task<int>> tasks;
    tasks.push_back(give(10, 3s));
    tasks.push_back(give(20, 1s));
    tasks.push_back(give(30, 2s));
    const auto first = test::run_test(when_any(std::move(tasks)));
    EXPECT_EQ(first.index, 1U);
    EXPECT_EQ(first.value, 20);
}

TEST(WhenAnyTest, AVectorOfVoidTasksYieldsTheIndex) {
    std::vector<task<>> tasks;
    tasks.push_back(nothing_after(3s));
    tasks.push_back(nothing_after(1s));
    EXPECT_EQ(test::run_test(when_any(std::move(tasks))).index, 1U);
}

TEST(WhenAnyTest, AMoveOnlyValueIsHandedOver) {
    auto make = []() -> task<std::unique_ptr<int>> { co_return std::make_unique<int>(3); };
    auto first = test::run_test(when_any(make(), nothing_after(1s)));
    EXPECT_EQ(*std::get<0>(first.value), 3);
}

task<> pending_until_the_first(test::ending& end) {
    scope s;
    s.spawn(test::observe(when_any(give(1, 3s), give(2, 2s)), end));
    co_await sleep_for(2s - 1ns);
    EXPECT_EQ(end, test::ending::pending);
    co_await s.join();
}

TEST(WhenAnyTest, IsPendingUntilTheFirstHasEnded) {
    test::ending end{};
    test::run_test(pending_until_the_first(end));
    EXPECT_EQ(end, test::ending::value);
}

TEST(WhenAnyTest, AFailureThatComesFirstIsRethrown) {
    test::ending loser{};
    EXPECT_THROW(test::run_test(when_any(remember_ending(loser, 9s), fail(1s))),
                 std::runtime_error);
    EXPECT_EQ(loser, test::ending::canceled);
}

// Fails when it is stopped.
task<int> fail_on_stop() {
    try {
        co_await sleep_for(1h);
    } catch (const canceled&) {
        throw std::runtime_error("too late");
    }
    co_return 0;
}

// Answers when it is stopped.
task<int> answer_on_stop(int number) {
    try {
        co_await sleep_for(1h);
    } catch (const canceled&) {
    }
    co_return number;
}

TEST(WhenAnyTest, WhatLosersDoAfterTheFirstIsDropped) {
    const auto first =
        test::run_test(when_any(fail_on_stop(), give(7, 1s), answer_on_stop(8), fail(1s)));
    EXPECT_EQ(first.index, 1U);
    EXPECT_EQ(std::get<1>(first.value), 7);
}

task<> note_nop(bool& ended) {
    EXPECT_TRUE(co_await nop());
    ended = true;
}

TEST(WhenAnyTest, AwaitsTheLoserThatTakesItsTime) {
    auto driver = std::make_unique<test::fake_driver>();
    driver->script(test::scripted(5s, 0, true));
    const test::fake_driver& kernel = *driver;
    event_loop loop(std::move(driver));
    const time_point start = loop.now();
    bool loser_ended = false;
    const auto first = loop.run(when_any(note_nop(loser_ended), nothing_after(1s)));
    EXPECT_EQ(first.index, 1U);
    EXPECT_EQ(kernel.cancels(), 1);
    EXPECT_TRUE(loser_ended) << "a loser is never left behind";
    EXPECT_EQ(loop.now(), start + 5s);
}

TEST(WhenAnyTest, AStopFromOutsideIsCanceled) {
    EXPECT_EQ(test::run_test(test::stopped_while_waiting(when_any(give(1, 1h), give(2, 1h)))),
              test::ending::canceled);
    EXPECT_EQ(test::run_test(test::stopped_before(when_any(give(1, 1h), nothing_after(1h)))),
              test::ending::canceled);
}

TEST(WhenAnyTest, AnAnswerToTheStopFromOutsideIsAnAnswer) {
    EXPECT_EQ(test::run_test(test::stopped_while_waiting(when_any(answer_on_stop(1)))),
              test::ending::value);
}

TEST(WhenAnyDeathTest, AnEmptyVectorEndsTheProcess) {
    EXPECT_DEATH(static_cast<void>(test::run_test(when_any(std::vector<task<int>>()))),
                 "when_any needs at least one task");
}

task<int> keep(std::shared_ptr<int> alive, duration length) {
    co_await sleep_for(length);
    co_return *alive;
}

TEST(WhenAnyTest, EveryAllocationMayFail) {
    const int failures = test::fail_every_allocation([](const std::shared_ptr<int>& alive) {
        return when_any(keep(alive, 2s), keep(alive, 1s));
    });
    EXPECT_GE(failures, 5);
    const int in_vector = test::fail_every_allocation([](const std::shared_ptr<int>& alive) {
        std::vector<task<int>> tasks;
        tasks.push_back(keep(alive, 2s));
        tasks.push_back(keep(alive, 1s));
        return when_any(std::move(tasks));
    });
    EXPECT_GE(in_vector, 5);
}

}  // namespace
}  // namespace weir
