#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <tuple>
#include <variant>
#include <vector>

#include <weir/runtime/when_all.hpp>

#include "support/failing_allocations.hpp"
#include "support/run_test.hpp"

namespace weir {
namespace {

using namespace std::chrono_literals;

task<int> give(int number, duration after) {
    co_await sleep_for(after);
    co_return number;
}

task<std::unique_ptr<std::string>> give_text(std::string text) {
    co_return std::make_unique<std::string>(std::move(text));
}

task<> nothing_after(duration length) { co_await sleep_for(length); }

task<int> fail(duration after, std::string text) {
    co_await sleep_for(after);
    throw std::runtime_error(text);
}

task<> gather_three() {
    const time_point start = scheduler::current()->now();
    auto [first, text, nothing] =
        co_await when_all(give(1, 5s), give_text("two"), nothing_after(3s));
    EXPECT_EQ(first, 1);
    EXPECT_EQ(*text, "two");
    EXPECT_EQ(nothing, std::monostate());
    EXPECT_EQ(scheduler::current()->now(), start + 5s) << "they run at the same time";
}

TEST(WhenAllTest, YieldsTheValuesInTheOrderOfTheArguments) { test::run_test(gather_three()); }

task<std::tuple<int, int>> gather_two() { co_return co_await when_all(give(1, 2s), give(2, 5s)); }

task<> pending_until_the_last(test::ending& end) {
    scope s;
    s.spawn(test::observe(gather_two(), end));
    co_await sleep_for(5s - 1ns);
    EXPECT_EQ(end, test::ending::pending);
    co_await s.join();
}

TEST(WhenAllTest, IsPendingUntilTheLastHasEnded) {
    test::ending end{};
    test::run_test(pending_until_the_last(end));
    EXPECT_EQ(end, test::ending::value);
}

TEST(WhenAllTest, OfNothingEndsAtOnce) {
    EXPECT_EQ(test::run_test(when_all()), std::tuple<>());
    EXPECT_TRUE(test::run_test(when_all(std::vector<task<int>>())).empty());
    test::run_test(when_all(std::vector<task<>>()));
}

TEST(WhenAllTest, AVectorYieldsItsValuesInOrder) {
    std::vector<task<int>> tasks;
    for (int number = 0; number < 100; ++number) {
        tasks.push_back(give(number, 1s * (100 - number)));
    }
    const std::vector<int> values = test::run_test(when_all(std::move(tasks)));
    ASSERT_EQ(values.size(), 100U);
    for (int number = 0; number < 100; ++number) {
        EXPECT_EQ(values[static_cast<std::size_t>(number)], number);
    }
}

TEST(WhenAllTest, AVectorMayHoldMoveOnlyValues) {
    std::vector<task<std::unique_ptr<std::string>>> tasks;
    tasks.push_back(give_text("a"));
    tasks.push_back(give_text("b"));
    const auto values = test::run_test(when_all(std::move(tasks)));
    ASSERT_EQ(values.size(), 2U);
    EXPECT_EQ(*values[0] + *values[1], "ab");
}

TEST(WhenAllTest, AVectorOfVoidTasksWaitsForAll) {
    test::virtual_loop on;
    const time_point start = on.clock().now();
    std::vector<task<>> tasks;
    tasks.push_back(nothing_after(2s));
    tasks.push_back(nothing_after(7s));
    on.run(when_all(std::move(tasks)));
    EXPECT_EQ(on.clock().now(), start + 7s);
}

task<int> remember_ending(test::ending& end, duration length) {
    co_await test::observe(nothing_after(length), end);
    co_return 0;
}

task<std::string> first_of_two_failures(test::ending& sibling) {
    try {
        co_await when_all(fail(9s, "late"), remember_ending(sibling, 1h), fail(2s, "early"));
    } catch (const std::runtime_error& error) {
        co_return error.what();
    }
    co_return "nothing was thrown";
}

TEST(WhenAllTest, TheFirstErrorInTimeStopsTheOthersAndIsRethrown) {
    test::virtual_loop on;
    const time_point start = on.clock().now();
    test::ending sibling{};
    EXPECT_EQ(on.run(first_of_two_failures(sibling)), "early");
    EXPECT_EQ(sibling, test::ending::canceled);
    EXPECT_EQ(on.clock().now(), start + 2s);
}

task<> fail_in_vector(test::ending& sibling) {
    std::vector<task<int>> tasks;
    tasks.push_back(remember_ending(sibling, 1h));
    tasks.push_back(fail(1s, "one of many"));
    co_await when_all(std::move(tasks));
}

TEST(WhenAllTest, AFailureInAVectorStopsTheOthers) {
    test::ending sibling{};
    EXPECT_THROW(test::run_test(fail_in_vector(sibling)), std::runtime_error);
    EXPECT_EQ(sibling, test::ending::canceled);
}

TEST(WhenAllTest, AStopFromOutsideReachesAllAndIsCanceled) {
    EXPECT_EQ(test::run_test(test::stopped_while_waiting(gather_two())), test::ending::canceled);
    EXPECT_EQ(test::run_test(test::stopped_before(gather_two())), test::ending::canceled);
}

task<int> cancel_oneself() {
    throw canceled();
    co_return 1;
}

TEST(WhenAllTest, ACanceledThatNobodyAskedForIsAFailure) {
    EXPECT_THROW(test::run_test(when_all(cancel_oneself(), give(1, 1h))), canceled);
}

task<int> deep(int levels) {
    if (levels == 0) {
        co_return 1;
    }
    auto [left, right] = co_await when_all(deep(levels - 1), deep(levels - 1));
    co_return left + right;
}

TEST(WhenAllTest, NestsLikeATree) { EXPECT_EQ(test::run_test(deep(10)), 1024); }

task<int> count_live(std::shared_ptr<int> kept) {
    co_await sleep_for(1s);
    co_return *kept;
}

TEST(WhenAllTest, EveryAllocationMayFail) {
    const int of_pack = test::fail_every_allocation([](const std::shared_ptr<int>& alive) {
        return when_all(count_live(alive), count_live(alive), count_live(alive));
    });
    EXPECT_GE(of_pack, 6) << "a frame and a record for each";
    const int of_vector = test::fail_every_allocation([](const std::shared_ptr<int>& alive) {
        std::vector<task<int>> tasks;
        tasks.push_back(count_live(alive));
        tasks.push_back(count_live(alive));
        return when_all(std::move(tasks));
    });
    EXPECT_GE(of_vector, 5);
}

}  // namespace
}  // namespace weir
