#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include <weir/runtime/sleep.hpp>
#include <weir/runtime/yield.hpp>

#include "support/run_test.hpp"

namespace weir {
namespace {

using namespace std::chrono_literals;

task<> nap(duration length) { co_await sleep_for(length); }

task<> nap_until(time_point deadline) { co_await sleep_until(deadline); }

task<> nap_and_log(duration length, std::vector<std::string>& log, std::string name) {
    co_await sleep_for(length);
    log.push_back(std::move(name));
}

task<> note(bool& ran) {
    ran = true;
    co_return;
}

TEST(SleepTest, AnIdleLoopJumpsToTheEndOfTheSleep) {
    test::virtual_loop on;
    const time_point start = on.clock().now();
    on.run(nap(5s));
    EXPECT_EQ(on.clock().now(), start + 5s);
    on.run(nap_until(start + 24h * 365));
    EXPECT_EQ(on.clock().now(), start + 24h * 365);
}

task<> sleep_by_hand(manual_clock& clock) {
    clock.set_auto_advance(false);
    test::ending end{};
    scope s;
    s.spawn(test::observe(nap(5s), end));
    co_await yield();
    clock.advance(5s - 1ns);
    for (int turn = 0; turn < 10; ++turn) {
        co_await yield();
    }
    EXPECT_EQ(end, test::ending::pending) << "never early";
    clock.advance(1ns);
    co_await s.join();
    EXPECT_EQ(end, test::ending::value);
}

TEST(SleepTest, ASleepIsPendingUntilItsTimeHasCome) {
    event_loop_options options;
    options.tick_budget = 1;  // every yield is a tick, in which timers may fire
    test::virtual_loop on(options);
    on.run(sleep_by_hand(on.clock()));
}

task<> sleep_in_disorder(std::vector<std::string>& log) {
    scope s;
    s.spawn(nap_and_log(3s, log, "three"));
    s.spawn(nap_and_log(1ms, log, "one"));
    s.spawn(nap_and_log(2ms, log, "two"));
    s.spawn(nap_and_log(2ms, log, "two again"));
    co_await s.join();
}

TEST(SleepTest, SleepsEndInTheOrderOfTheirDeadlines) {
    std::vector<std::string> log;
    test::run_test(sleep_in_disorder(log));
    EXPECT_EQ(log, (std::vector<std::string>{"one", "two", "two again", "three"}));
}

task<> sleep_not_at_all() {
    const event_loop& loop = *event_loop::current();
    const time_point start = loop.now();
    bool other_ran = false;
    scope s;
    s.spawn(note(other_ran));
    co_await sleep_for(0s);
    co_await sleep_for(-5s);
    co_await sleep_for(duration::min());
    co_await sleep_until(start);
    co_await sleep_until(start - 1h);
    co_await sleep_until(time_point::min());
    EXPECT_FALSE(other_ran) << "no turn of the loop is taken";
    EXPECT_EQ(loop.counters().timers_armed, 0U);
    EXPECT_EQ(loop.now(), start);
    co_await s.join();
}

TEST(SleepTest, NothingIsSleptForNoTimeOrUntilThePast) { test::run_test(sleep_not_at_all()); }

TEST(SleepTest, AStopEndsASleep) {
    test::virtual_loop on;
    const time_point start = on.clock().now();
    EXPECT_EQ(on.run(test::stopped_while_waiting(nap(5h))), test::ending::canceled);
    EXPECT_LT(on.clock().now(), start + 1s);
    EXPECT_EQ(on.loop().counters().timers_canceled, 1U);
    EXPECT_EQ(on.run(test::stopped_while_waiting(nap_until(start + 5h))), test::ending::canceled);
}

TEST(SleepTest, AStoppedTaskDoesNotSleep) {
    test::virtual_loop on;
    EXPECT_EQ(on.run(test::stopped_before(nap(5h))), test::ending::canceled);
    EXPECT_EQ(on.run(test::stopped_before(nap(0s))), test::ending::canceled);
    EXPECT_EQ(on.run(test::stopped_before(nap_until(time_point::min()))), test::ending::canceled);
    EXPECT_EQ(on.loop().counters().timers_armed, 0U);
}

// Stops `source` at the moment at which its sleepers wake.
task<> stop_at(stop_source& source, duration when) {
    co_await sleep_for(when);
    source.request_stop();
}

task<> stop_at_the_moment_of_waking(test::ending& woken_first, test::ending& stopped_first) {
    stop_source source;
    scope s;
    s.spawn(test::observe(with_stop(source, nap(1s)), woken_first));
    s.spawn(stop_at(source, 1s));
    s.spawn(test::observe(with_stop(source, nap(1s + 1ns)), stopped_first));
    co_await s.join();
}

TEST(SleepTest, ASleepThatEndedBeforeTheStopHasEnded) {
    test::ending woken_first{};
    test::ending stopped_first{};
    test::run_test(stop_at_the_moment_of_waking(woken_first, stopped_first));
    EXPECT_EQ(woken_first, test::ending::value);
    EXPECT_EQ(stopped_first, test::ending::canceled);
}

TEST(SleepTest, ASleepWithoutEndIsStoppedLikeAnyOther) {
    EXPECT_EQ(test::run_test(test::stopped_while_waiting(nap(duration::max()))),
              test::ending::canceled);
    EXPECT_EQ(test::run_test(test::stopped_while_waiting(nap_until(time_point::max()))),
              test::ending::canceled);
}

task<> sleep_many(int count) {
    scope s;
    for (int number = 0; number < count; ++number) {
        s.spawn(nap(5s));
    }
    co_await s.join();
}

TEST(SleepTest, AHundredThousandSleepsTakeTheTimeOfOne) {
    test::virtual_loop on;
    const time_point start = on.clock().now();
    on.run(sleep_many(100'000));
    EXPECT_EQ(on.clock().now(), start + 5s);
    EXPECT_EQ(on.loop().counters().timers_fired, 100'000U);
}

TEST(SleepTest, ARealSleepIsNeverEarly) {
    event_loop loop;
    const time_point start = loop.now();
    loop.run(nap(300us));
    EXPECT_GE(loop.now(), start + 300us);
}

}  // namespace
}  // namespace weir
