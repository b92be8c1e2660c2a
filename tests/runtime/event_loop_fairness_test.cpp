// Nobody who keeps the loop busy starves timers, posts or I/O; an idle loop does nothing.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <expected>
#include <system_error>
#include <thread>
#include <utility>

#include <weir/runtime/event.hpp>
#include <weir/runtime/event_loop.hpp>
#include <weir/runtime/nop.hpp>
#include <weir/runtime/yield.hpp>

#include "support/io.hpp"
#include "support/run_test.hpp"

namespace weir {
namespace {

using namespace std::chrono_literals;

// Yields until it is stopped, and counts.
task<> yield_until_stopped(std::uint64_t& turns) {
    while (true) {
        ++turns;
        co_await yield();
    }
}

// Runs beside a task that never stops yielding.
task<> beside_a_busy_task(task<> body, std::uint64_t& turns) {
    scope s;
    s.spawn(yield_until_stopped(turns));
    co_await std::move(body);
    s.request_stop();
    co_await s.join();
}

task<> nap(duration length) { co_await sleep_for(length); }

TEST(EventLoopFairnessTest, ATimerFiresBesideATaskThatYieldsForEver) {
    event_loop loop;
    std::uint64_t turns = 0;
    loop.run(beside_a_busy_task(nap(1ms), turns));
    EXPECT_GE(turns, 1U);
    EXPECT_EQ(loop.counters().timers_fired, 1U);
}

task<> one_nop(result<void>& out) { out = co_await nop(); }

TEST(EventLoopFairnessTest, ACompletionComesThroughBesideATaskThatYieldsForEver) {
    event_loop loop;
    std::uint64_t turns = 0;
    result<void> done = std::unexpected(std::make_error_code(std::errc::timed_out));
    loop.run(beside_a_busy_task(one_nop(done), turns));
    EXPECT_TRUE(done);
    EXPECT_LE(turns, 4 * loop.options().tick_budget) << "one tick, and not some time";
}

task<> wait_on(event& flag) { co_await flag.wait(); }

TEST(EventLoopFairnessTest, APostComesThroughBesideATaskThatYieldsForEver) {
    event_loop loop;
    event flag;
    std::uint64_t turns = 0;
    std::jthread poster([&] { loop.post([&] { flag.set(); }); });
    loop.run(beside_a_busy_task(wait_on(flag), turns));
    EXPECT_EQ(loop.counters().posts, 1U);
}

task<> yield_for(int turns) {
    for (int turn = 0; turn < turns; ++turn) {
        co_await yield();
    }
}

TEST(EventLoopFairnessTest, ATickResumesAtMostItsBudget) {
    event_loop_options options;
    options.tick_budget = 10;
    test::virtual_loop on(options);
    on.run(yield_for(999));
    EXPECT_EQ(on.loop().counters().resumes, 1000U);
    EXPECT_EQ(on.loop().counters().ticks, 100U);
}

// Waits for a byte and then for the clock, as an idle server does.
task<> wait_for_byte(const test::pipe_pair* pipe, char* byte) {
    EXPECT_EQ((co_await test::read_byte(pipe, byte)).value_or(-1), 1);
}

TEST(EventLoopFairnessTest, AnIdleLoopMakesNoTicks) {
    event_loop loop;
    const test::pipe_pair pipe;
    char byte = 0;
    std::jthread writer([&] {
        std::this_thread::sleep_for(50ms);  // the kernel's sleep is the subject
        pipe.put('w');
    });
    loop.run(wait_for_byte(&pipe, &byte));
    EXPECT_EQ(byte, 'w');
    EXPECT_LE(loop.counters().ticks, 4U);
    EXPECT_LE(loop.counters().enters, 4U);
}

TEST(EventLoopFairnessTest, ALoopThatWaitsForALongTimerMakesNoTicks) {
    event_loop loop;
    loop.run(nap(50ms));
    EXPECT_LE(loop.counters().ticks, 6U);
    EXPECT_LE(loop.counters().enters, 6U);
}

task<> wait_for_byte_beside_a_timer(const test::pipe_pair* pipe, char* byte) {
    scope s;
    s.spawn(nap(1h));
    EXPECT_EQ((co_await test::read_byte(pipe, byte)).value_or(-1), 1);
    s.request_stop();
    co_await s.join();
}

TEST(EventLoopFairnessTest, ACompletionEndsTheSleepBeforeATimer) {
    event_loop loop;
    const test::pipe_pair pipe;
    char byte = 0;
    std::jthread writer([&] { pipe.put('x'); });
    loop.run(wait_for_byte_beside_a_timer(&pipe, &byte));
    EXPECT_EQ(byte, 'x');
}

task<> wait_for_both(const test::pipe_pair* pipe, char* byte, manual_clock& clock) {
    const time_point start = clock.now();
    EXPECT_EQ((co_await test::read_byte(pipe, byte)).value_or(-1), 1);
    EXPECT_EQ(clock.now(), start) << "what has completed goes before the clock";
    co_await sleep_for(1h);
    EXPECT_EQ(clock.now(), start + 1h);
}

TEST(ManualClockLoopTest, WhatHasCompletedGoesBeforeTheClock) {
    test::virtual_loop on;
    const test::pipe_pair pipe;
    pipe.put('y');
    char byte = 0;
    on.run(wait_for_both(&pipe, &byte, on.clock()));
}

TEST(ManualClockLoopTest, WithNothingElseToDoTheClockJumps) {
    test::virtual_loop on;
    const time_point start = on.clock().now();
    on.run(nap(24h * 365 * 100));
    EXPECT_EQ(on.clock().now(), start + 24h * 365 * 100);
    EXPECT_LE(on.loop().counters().ticks, 20U);
}

TEST(ManualClockLoopTest, WithAutoAdvanceOffAnIdleLoopWaitsForAPost) {
    test::virtual_loop on;
    on.clock().set_auto_advance(false);
    const time_point start = on.clock().now();
    std::jthread mover([&] {
        std::this_thread::sleep_for(20ms);  // the loop sleeps by then, or the test is easier
        on.loop().post([&] { on.clock().advance(1h); });
    });
    on.run(nap(1h));
    EXPECT_EQ(on.clock().now(), start + 1h);
    EXPECT_LE(on.loop().counters().ticks, 8U) << "it slept instead of asking again and again";
}

TEST(ManualClockLoopTest, AClockThatIsMovedPastADeadlineFiresAtOnce) {
    test::virtual_loop on;
    on.clock().set_auto_advance(false);
    on.run([](manual_clock& clock) -> task<> {
        scope s;
        s.spawn(nap(1s));
        s.spawn(nap(2s));
        co_await yield();
        clock.advance(5s);
        co_await s.join();
    }(on.clock()));
    EXPECT_EQ(on.loop().counters().timers_fired, 2U);
}

// Posts itself again and again until the flag is set.
struct self_poster {
    event_loop* loop;
    const bool* over;
    std::uint64_t* turns;
    void operator()() const {
        if (!*over && ++*turns < 1'000'000) {
            loop->post(*this);
        }
    }
};

task<> complete_beside_posts(bool& over, std::uint64_t& turns) {
    event_loop& loop = *event_loop::current();
    loop.post(self_poster{.loop = &loop, .over = &over, .turns = &turns});
    EXPECT_TRUE(co_await nop());
    over = true;
}

TEST(EventLoopFairnessTest, ACompletionComesThroughBesideAFunctionThatPostsItselfForEver) {
    event_loop loop;
    bool over = false;
    std::uint64_t turns = 0;
    loop.run(complete_beside_posts(over, turns));
    EXPECT_LT(turns, 1000U);
    EXPECT_TRUE(over);
    const auto nothing = []() -> task<> { co_return; };
    loop.run(nothing());  // the last post finds the flag set
}

}  // namespace
}  // namespace weir
