#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <stop_token>
#include <thread>
#include <vector>

#include <weir/runtime/stop.hpp>
#include <weir/runtime/this_task.hpp>

#include "support/failing_allocations.hpp"
#include "support/io.hpp"
#include "support/run_test.hpp"

namespace weir {
namespace {

using namespace std::chrono_literals;

task<int> give(int number, duration after) {
    co_await sleep_for(after);
    co_return number;
}

task<int> give_at_once(int number) { co_return number; }

task<> nothing_after(duration length) { co_await sleep_for(length); }

task<> stop_after(duration length, stop_source& source) {
    co_await sleep_for(length);
    source.request_stop();
}

task<> stop_from_beside(test::ending& end) {
    stop_source source;
    scope s;
    s.spawn(test::observe(with_stop(source, nothing_after(1h)), end));
    s.spawn(stop_after(2s, source));
    co_await sleep_for(2s - 1ns);
    EXPECT_EQ(end, test::ending::pending);
    EXPECT_FALSE(source.stop_requested());
    co_await s.join();
    EXPECT_TRUE(source.stop_requested());
}

TEST(StopSourceTest, WhatRunsUnderItIsPendingUntilTheStop) {
    test::ending end{};
    test::run_test(stop_from_beside(end));
    EXPECT_EQ(end, test::ending::canceled);
}

TEST(StopSourceTest, ATaskThatEndsBeforeTheStopYieldsItsValue) {
    stop_source source;
    EXPECT_EQ(test::run_test(with_stop(source, give(5, 1s))), 5);
    source.request_stop();
    EXPECT_EQ(test::run_test(with_stop(source, give_at_once(6))), 6) << "though it is stopped";
}

TEST(StopSourceTest, AStoppedSourceStopsWhatComesLaterAtItsFirstAwait) {
    stop_source source;
    source.request_stop();
    EXPECT_THROW(test::run_test(with_stop(source, give(5, 1h))), canceled);
}

task<> stop_many(stop_source& source, std::vector<test::ending>& ends) {
    scope s;
    for (test::ending& end : ends) {
        s.spawn(test::observe(with_stop(source, nothing_after(1h)), end));
    }
    co_await test::settle();
    source.request_stop();
    source.request_stop();
    co_await s.join();
}

TEST(StopSourceTest, StopsAllThatRunUnderIt) {
    stop_source source;
    std::vector<test::ending> ends(10);
    test::run_test(stop_many(source, ends));
    for (const test::ending end : ends) {
        EXPECT_EQ(end, test::ending::canceled);
    }
}

task<> stop_only_the_inner(test::ending& inner) {
    stop_source source;
    scope s;
    s.spawn(stop_after(1s, source));
    co_await test::observe(with_stop(source, nothing_after(1h)), inner);
    EXPECT_FALSE(co_await stop_requested());
    co_await sleep_for(1s);
    co_await s.join();
}

TEST(StopSourceTest, WhatIsAroundGoesOn) {
    test::ending inner{};
    test::run_test(stop_only_the_inner(inner));
    EXPECT_EQ(inner, test::ending::canceled);
}

TEST(StopSourceTest, AStopFromOutsideIsSeenAsWell) {
    stop_source source;
    EXPECT_EQ(test::run_test(test::stopped_while_waiting(with_stop(source, nothing_after(1h)))),
              test::ending::canceled);
    EXPECT_FALSE(source.stop_requested());
}

task<int> keep(std::shared_ptr<int> alive) {
    co_await sleep_for(1s);
    co_return *alive;
}

TEST(StopSourceTest, EveryAllocationMayFail) {
    stop_source source;
    EXPECT_GE(test::fail_every_allocation([&](const std::shared_ptr<int>& alive) {
                  return with_stop(source, keep(alive));
              }),
              0);
    std::stop_source standard;
    EXPECT_GE(test::fail_every_allocation([&](const std::shared_ptr<int>& alive) {
                  return with_stop(standard.get_token(), keep(alive));
              }),
              1);
}

#ifndef NDEBUG
task<> outlive_the_source() {
    auto source = std::make_unique<stop_source>();
    scope s;
    s.spawn(with_stop(*source, nothing_after(1h)));
    co_await test::settle();
    source.reset();
    co_await s.join();
}

TEST(StopSourceDeathTest, OutlivingTheSourceEndsADebugBuild) {
    EXPECT_DEATH(test::run_test(outlive_the_source()), "a list dies before its elements");
}
#endif

task<> request_standard_stop(duration after, std::stop_source source) {
    co_await sleep_for(after);
    source.request_stop();
}

task<> stop_by_token_on_the_loop(test::ending& end) {
    std::stop_source source;
    scope s;
    s.spawn(test::observe(with_stop(source.get_token(), nothing_after(1h)), end));
    s.spawn(request_standard_stop(2s, source));
    co_await sleep_for(2s - 1ns);
    EXPECT_EQ(end, test::ending::pending);
    co_await s.join();
}

TEST(StopTokenTest, AStopOnTheLoopsOwnThreadStopsTheTask) {
    test::ending end{};
    test::run_test(stop_by_token_on_the_loop(end));
    EXPECT_EQ(end, test::ending::canceled);
}

TEST(StopTokenTest, AStoppedTokenStopsAtTheFirstAwait) {
    std::stop_source source;
    source.request_stop();
    EXPECT_THROW(test::run_test(with_stop(source.get_token(), give(1, 1h))), canceled);
    EXPECT_EQ(test::run_test(with_stop(source.get_token(), give_at_once(1))), 1);
}

TEST(StopTokenTest, ATokenWithoutASourceStopsNothing) {
    EXPECT_EQ(test::run_test(with_stop(std::stop_token(), give(1, 1h))), 1);
}

TEST(StopTokenTest, AStopAfterTheEndReachesNobody) {
    std::stop_source source;
    test::virtual_loop on;
    EXPECT_EQ(on.run(with_stop(source.get_token(), give(1, 1s))), 1);
    source.request_stop();
    EXPECT_EQ(on.run(give(2, 1s)), 2);
}

// Waits for a byte that never comes, and says in `waits` when it has begun.
task<result<int>> wait_for_byte(const test::pipe_pair* pipe, std::atomic<bool>& waits) {
    char byte = 0;
    test::io_probe read(io_opcode::read, pipe->out.get(), &byte, 1);
    waits.store(true, std::memory_order_release);
    waits.notify_one();
    co_return co_await read;
}

TEST(StopTokenTest, AStopByAnotherThreadReachesASleepingLoop) {
    const test::pipe_pair pipe;
    event_loop loop;
    for (int round = 0; round < 20; ++round) {
        std::stop_source source;
        std::atomic<bool> waits{false};
        std::jthread stopper([&] {
            waits.wait(false, std::memory_order_acquire);
            source.request_stop();
        });
        const result<int> got =
            loop.run(with_stop(source.get_token(), wait_for_byte(&pipe, waits)));
        ASSERT_FALSE(got);
        EXPECT_EQ(got.error(), std::errc::operation_canceled);
    }
}

TEST(StopTokenTest, AStopByAnotherThreadMayRaceWithTheEnd) {
    event_loop loop;
    int values = 0;
    int stops = 0;
    for (int round = 0; round < 200; ++round) {
        std::stop_source source;
        std::jthread stopper([&] { source.request_stop(); });
        try {
            values += loop.run(with_stop(source.get_token(), give(1, 1us)));
        } catch (const canceled&) {
            ++stops;
        }
    }
    EXPECT_EQ(values + stops, 200);
    loop.run(nothing_after(1us));
}

task<> see_stop_through_bridge(std::stop_token& token, bool& called) {
    const std_stop_bridge bridge;
    token = bridge.token();
    EXPECT_FALSE(token.stop_requested());
    const std::stop_callback on_stop(token, [&called] { called = true; });
    try {
        co_await sleep_for(1h);
    } catch (const canceled&) {
        EXPECT_TRUE(called);
        throw;
    }
}

TEST(StopBridgeTest, AStopOfTheTaskIsSeenThroughTheToken) {
    std::stop_token token;
    bool called = false;
    EXPECT_EQ(test::run_test(test::stopped_while_waiting(see_stop_through_bridge(token, called))),
              test::ending::canceled);
    EXPECT_TRUE(called);
    EXPECT_TRUE(token.stop_requested());
}

task<> bridge_when_stopped(bool& seen) {
    const std_stop_bridge bridge;
    seen = bridge.token().stop_requested();
    co_return;
}

TEST(StopBridgeTest, ABridgeInAStoppedTaskIsStoppedFromTheStart) {
    bool seen = false;
    test::run_test(test::stopped_before(bridge_when_stopped(seen)));
    EXPECT_TRUE(seen);
    test::run_test(bridge_when_stopped(seen));
    EXPECT_FALSE(seen);
}

task<> stop_after_the_bridge(std::stop_token& token, stop_source& source) {
    {
        const std_stop_bridge bridge;
        token = bridge.token();
    }
    source.request_stop();
    co_return;
}

TEST(StopBridgeTest, AStopAfterTheBridgeIsGoneIsNotSeen) {
    std::stop_token token;
    stop_source source;
    test::run_test(with_stop(source, stop_after_the_bridge(token, source)));
    EXPECT_FALSE(token.stop_requested());
}

task<> stop_a_thread(std::atomic<int>& steps) {
    const std_stop_bridge bridge;
    std::jthread worker([token = bridge.token(), &steps] {
        while (!token.stop_requested()) {
            steps.fetch_add(1, std::memory_order_relaxed);
            std::this_thread::yield();
        }
    });
    co_await sleep_for(1h);
}

TEST(StopBridgeTest, AThreadSeesTheStop) {
    std::atomic<int> steps{0};
    EXPECT_EQ(test::run_test(test::stopped_while_waiting(stop_a_thread(steps))),
              test::ending::canceled);
}

TEST(StopBridgeDeathTest, ABridgeOutsideOfATaskEndsTheProcess) {
    EXPECT_DEATH(const std_stop_bridge nowhere, "a std_stop_bridge is made inside a running task");
}

}  // namespace
}  // namespace weir
