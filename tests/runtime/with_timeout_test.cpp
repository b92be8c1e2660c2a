#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>

#include <weir/runtime/channel.hpp>
#include <weir/runtime/event.hpp>
#include <weir/runtime/nop.hpp>
#include <weir/runtime/this_task.hpp>
#include <weir/runtime/with_timeout.hpp>

#include "support/failing_allocations.hpp"
#include "support/run_test.hpp"

namespace weir {
namespace {

using namespace std::chrono_literals;

task<int> give(int number, duration after) {
    co_await sleep_for(after);
    co_return number;
}

task<> nothing_after(duration length) { co_await sleep_for(length); }

TEST(WithTimeoutTest, AValueInTimeIsKept) {
    test::virtual_loop on;
    EXPECT_EQ(on.run(with_timeout(2s, give(7, 1s))), 7);
    EXPECT_EQ(on.loop().counters().timers_canceled, 1U) << "the timer is gone with the task";
}

TEST(WithTimeoutTest, ATaskThatEndsAtOnceNeedsNoTime) {
    EXPECT_EQ(test::run_test(with_timeout(2s, give(7, 0s))), 7);
}

TEST(WithTimeoutTest, TimeThatIsUpIsTimedOut) {
    test::virtual_loop on;
    const time_point start = on.clock().now();
    EXPECT_THROW(on.run(with_timeout(2s, give(7, 1h))), timed_out);
    EXPECT_EQ(on.clock().now(), start + 2s);
    EXPECT_THROW(on.run(with_timeout(1s, nothing_after(1h))), timed_out);
}

task<> pending_until_time_is_up(test::ending& end) {
    scope s;
    s.spawn(test::observe(with_timeout(2s, nothing_after(1h)), end));
    co_await sleep_for(2s - 1ns);
    EXPECT_EQ(end, test::ending::pending);
    co_await s.join();
}

TEST(WithTimeoutTest, IsPendingUntilTheTimeIsUp) {
    test::ending end{};
    test::run_test(pending_until_time_is_up(end));
    EXPECT_EQ(end, test::ending::timed_out);
}

task<int> answer_on_stop(int number) {
    try {
        co_await sleep_for(1h);
    } catch (const canceled&) {
    }
    co_return number;
}

TEST(WithTimeoutTest, AValueThatIsReturnedAfterTheTimeIsKept) {
    EXPECT_EQ(test::run_test(with_timeout(2s, answer_on_stop(9))), 9);
}

task<int> fail_on_stop() {
    try {
        co_await sleep_for(1h);
    } catch (const canceled&) {
        throw std::runtime_error("half way");
    }
    co_return 1;
}

TEST(WithTimeoutTest, AnotherExceptionPassesThrough) {
    EXPECT_THROW(test::run_test(with_timeout(2s, fail_on_stop())), std::runtime_error);
}

task<int> cancel_oneself() {
    throw canceled();
    co_return 1;
}

TEST(WithTimeoutTest, ACanceledInTimeIsNotTimedOut) {
    EXPECT_THROW(test::run_test(with_timeout(2s, cancel_oneself())), canceled);
}

task<int> give_at_once(int number) { co_return number; }

task<> note_start(bool& started, bool& stopped) {
    started = true;
    stopped = co_await stop_requested();
    co_await sleep_for(1h);
}

TEST(WithTimeoutTest, ADeadlineThatHasPassedStopsAtTheFirstAwait) {
    test::virtual_loop on;
    const time_point start = on.clock().now();
    for (const duration length : {0ns, -1ns, duration::min()}) {
        bool started = false;
        bool stopped = false;
        EXPECT_THROW(on.run(with_timeout(length, note_start(started, stopped))), timed_out);
        EXPECT_TRUE(started);
        EXPECT_TRUE(stopped);
    }
    bool started = false;
    bool stopped = false;
    EXPECT_THROW(on.run(with_deadline(start - 1h, note_start(started, stopped))), timed_out);
    EXPECT_TRUE(stopped);
    EXPECT_EQ(on.run(with_deadline(start - 1h, give_at_once(3))), 3) << "nothing was awaited";
    EXPECT_EQ(on.clock().now(), start);
}

TEST(WithTimeoutTest, ADeadlineIsInTheTimeOfTheLoop) {
    test::virtual_loop on;
    const time_point start = on.clock().now();
    EXPECT_EQ(on.run(with_deadline(start + 2s, give(1, 1s))), 1);
    EXPECT_THROW(on.run(with_deadline(start + 2s, give(1, 1s + 1ns))), timed_out);
    EXPECT_EQ(on.clock().now(), start + 2s);
}

TEST(WithTimeoutTest, TheLongestTimeoutNeverComes) {
    EXPECT_EQ(test::run_test(with_timeout(duration::max(), give(4, 24h * 365))), 4);
}

// Which of two nested timeouts was up.
task<std::string> nested(duration outer, duration inner) {
    try {
        co_await with_timeout(outer, [](duration length) -> task<> {
            try {
                co_await with_timeout(length, nothing_after(1h));
            } catch (const timed_out&) {
                throw std::runtime_error("inner");
            }
        }(inner));
    } catch (const std::runtime_error& error) {
        co_return error.what();
    } catch (const timed_out&) {
        co_return "outer";
    }
    co_return "none";
}

TEST(WithTimeoutTest, OfNestedTimeoutsTheShorterOneIsUp) {
    EXPECT_EQ(test::run_test(nested(2s, 1s)), "inner");
    EXPECT_EQ(test::run_test(nested(1s, 2s)), "outer");
    EXPECT_EQ(test::run_test(nested(2h, 2h)), "none");
}

TEST(WithTimeoutTest, OfEqualTimeoutsTheOuterOneIsUp) {
    EXPECT_EQ(test::run_test(nested(1s, 1s)), "outer");
    EXPECT_EQ(test::run_test(nested(0s, 0s)), "outer");
}

TEST(WithTimeoutTest, AStopFromOutsideIsCanceledAndNotTimedOut) {
    EXPECT_EQ(test::run_test(test::stopped_while_waiting(with_timeout(1h, nothing_after(2h)))),
              test::ending::canceled);
    EXPECT_EQ(test::run_test(test::stopped_before(with_timeout(1h, nothing_after(2h)))),
              test::ending::canceled);
}

task<> stop_when_time_is_up_too(test::ending& end) {
    stop_source source;
    scope s;
    s.spawn(test::observe(with_stop(source, with_timeout(1s, nothing_after(2h))), end));
    s.spawn([](stop_source& stop) -> task<> {
        co_await sleep_for(1s);
        stop.request_stop();
    }(source));
    co_await s.join();
}

TEST(WithTimeoutTest, WhereBothCameTheStopFromOutsideCounts) {
    test::ending end{};
    test::run_test(stop_when_time_is_up_too(end));
    EXPECT_EQ(end, test::ending::canceled);
}

task<> stop_only_the_body(test::ending& body, bool& went_on) {
    EXPECT_FALSE(co_await stop_requested());
    try {
        co_await with_timeout(1s, test::observe(nothing_after(1h), body));
    } catch (const timed_out&) {
        ADD_FAILURE() << "the body swallowed its stop";
    }
    EXPECT_FALSE(co_await stop_requested()) << "the stop ends with the body";
    co_await sleep_for(1s);
    went_on = true;
}

TEST(WithTimeoutTest, OnlyTheBodyIsStopped) {
    test::ending body{};
    bool went_on = false;
    test::run_test(stop_only_the_body(body, went_on));
    EXPECT_EQ(body, test::ending::canceled);
    EXPECT_TRUE(went_on);
}

task<> many_in_turn(int count) {
    for (int number = 0; number < count; ++number) {
        EXPECT_EQ(co_await with_timeout(1s, give(number, 1ms)), number);
    }
}

TEST(WithTimeoutTest, NoTimerIsLeftBehind) {
    test::virtual_loop on;
    on.run(many_in_turn(1000));
    const loop_counters counters = on.loop().counters();
    EXPECT_EQ(counters.timers_armed, 2000U);
    EXPECT_EQ(counters.timers_fired, 1000U);
    EXPECT_EQ(counters.timers_canceled, 1000U);
}

task<int> keep(std::shared_ptr<int> alive) {
    co_await sleep_for(1s);
    co_return *alive;
}

TEST(WithTimeoutTest, EveryAllocationMayFail) {
    const int failures = test::fail_every_allocation(
        [](const std::shared_ptr<int>& alive) { return with_timeout(2s, keep(alive)); });
    EXPECT_GE(failures, 1);
}

TEST(WithTimeoutDeathTest, ATaskThatWasMovedFromEndsTheProcess) {
    EXPECT_DEATH(test::run_test(with_timeout(1s, task<>())),
                 "a task that was moved from cannot run");
}

// Ends as byte I/O does: with a result, not by an exception.
task<result<int>> read_slowly(duration length) {
    try {
        co_await sleep_for(length);
    } catch (const canceled&) {
        co_return std::unexpected(std::make_error_code(std::errc::operation_canceled));
    }
    co_return 7;
}

TEST(WithTimeoutTest, AResultThatEndedByTheTimerSaysSo) {
    test::virtual_loop on;
    EXPECT_EQ(on.run(with_timeout(2s, read_slowly(1s))).value(), 7);
    EXPECT_EQ(on.run(with_timeout(2s, read_slowly(3s))).error(), std::errc::timed_out);
}

task<result<int>> fail_with(std::errc code) {
    co_return std::unexpected(std::make_error_code(code));
}

TEST(WithTimeoutTest, AResultThatEndedForAnotherReasonKeepsIt) {
    EXPECT_EQ(test::run_test(with_timeout(2s, fail_with(std::errc::operation_canceled))).error(),
              std::errc::operation_canceled);
    EXPECT_EQ(test::run_test(with_timeout(2s, fail_with(std::errc::broken_pipe))).error(),
              std::errc::broken_pipe);
}

// Anything that can be awaited, by the function that makes it.
task<bool> wait_in_time(event* ready) {
    try {
        co_await with_timeout(2s, &event::wait, std::ref(*ready));
        co_return true;
    } catch (const timed_out&) {
        co_return false;
    }
}

TEST(WithTimeoutTest, AnEventThatNobodySetsIsTimedOut) {
    test::virtual_loop on;
    const time_point start = on.clock().now();
    event ready;
    EXPECT_FALSE(on.run(wait_in_time(&ready)));
    EXPECT_EQ(on.clock().now(), start + 2s);
    ready.set();
    EXPECT_TRUE(on.run(wait_in_time(&ready)));
    EXPECT_EQ(on.clock().now(), start + 2s);
}

TEST(WithTimeoutTest, AnAwaitedValueIsKept) {
    channel<int> numbers(1);
    int seven = 7;
    ASSERT_TRUE(numbers.try_send(seven));
    test::virtual_loop on;
    EXPECT_EQ(on.run(with_timeout(1s, &channel<int>::receive, std::ref(numbers))), 7);
    EXPECT_THROW(on.run(with_timeout(1s, &channel<int>::receive, std::ref(numbers))), timed_out);
}

TEST(WithTimeoutTest, AFunctionThatReturnsATaskIsAwaitedAsTheTask) {
    test::virtual_loop on;
    EXPECT_EQ(on.run(with_timeout(2s, give, 7, 1s)), 7);
    EXPECT_THROW(on.run(with_timeout(2s, give, 7, 3s)), timed_out);
    EXPECT_THROW(on.run(with_deadline(on.clock().now() + 2s, give, 7, 3s)), timed_out);
}

TEST(WithTimeoutTest, AResultOfAnAwaiterComesThrough) {
    EXPECT_TRUE(test::run_test(with_timeout(1h, nop)).has_value());
}

}  // namespace
}  // namespace weir
