#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include <weir/runtime/event_loop.hpp>
#include <weir/runtime/nop.hpp>
#include <weir/runtime/this_task.hpp>
#include <weir/runtime/yield.hpp>

#include "support/fake_driver.hpp"
#include "support/run_test.hpp"

namespace weir {
namespace {

using namespace std::chrono_literals;

task<int> give(int number) { co_return number; }

task<int> give_later(int number) {
    co_await yield();
    co_return number;
}

task<> sleep_an_hour() { co_await sleep_for(1h); }

TEST(EventLoopTest, ARunReturnsWhatItsTaskReturns) {
    event_loop loop;
    EXPECT_EQ(loop.run(give(1)), 1);
    EXPECT_EQ(loop.run(give_later(2)), 2);
}

TEST(EventLoopTest, ALoopRunsAgainAndAgain) {
    test::virtual_loop on;
    for (int round = 0; round < 100; ++round) {
        EXPECT_EQ(on.run(give_later(round)), round);
    }
    on.run(sleep_an_hour());
    EXPECT_THROW(on.run([]() -> task<> {
        co_await yield();
        throw std::runtime_error("one of many runs");
    }()),
                 std::runtime_error);
    EXPECT_EQ(on.run(give(5)), 5);
}

TEST(EventLoopTest, LoopsOfOneThreadRunOneAfterTheOther) {
    test::virtual_loop first;
    test::virtual_loop second;
    EXPECT_EQ(first.run(give_later(1)), 1);
    EXPECT_EQ(second.run(give_later(2)), 2);
    EXPECT_EQ(first.run(give_later(3)), 3);
}

// Runs a loop inside of a run.
task<std::error_code> run_inside(event_loop& loop, std::shared_ptr<int> argument) {
    try {
        loop.run([](std::shared_ptr<int> kept) -> task<> {
            static_cast<void>(kept);
            co_return;
        }(argument));
    } catch (const std::system_error& error) {
        co_return error.code();
    }
    co_return std::error_code();
}

TEST(EventLoopTest, RunInsideOfRunIsRefused) {
    event_loop loop;
    event_loop other;
    const auto argument = std::make_shared<int>(1);
    EXPECT_EQ(loop.run(run_inside(loop, argument)), errc::loop_already_running);
    EXPECT_EQ(loop.run(run_inside(other, argument)), errc::loop_already_running);
    EXPECT_EQ(argument.use_count(), 1) << "the refused task is destroyed";
    EXPECT_EQ(other.run(give(3)), 3);
}

TEST(EventLoopTest, ALoopThatNeverRanMayBeDestroyed) {
    const event_loop loop;
    EXPECT_EQ(loop.counters().ticks, 0U);
}

// The text with which a loop refuses `options`.
std::string refusal_of(event_loop_options options) {
    try {
        const event_loop loop(options);
    } catch (const std::invalid_argument& error) {
        return error.what();
    }
    return "accepted";
}

TEST(EventLoopOptionsTest, ARefusalNamesOptionValueAndRange) {
    event_loop_options options;
    options.ring_entries = 0;
    EXPECT_EQ(refusal_of(options), "event_loop_options::ring_entries is 0; allowed: 1 to 32768");
    options.ring_entries = 32'769;
    EXPECT_EQ(refusal_of(options),
              "event_loop_options::ring_entries is 32769; allowed: 1 to 32768");
}

TEST(EventLoopOptionsTest, EveryOptionHasItsRange) {
    event_loop_options options;
    options.max_in_flight = 0;
    EXPECT_EQ(refusal_of(options), "event_loop_options::max_in_flight is 0; allowed: 1 to 1048576");
    options.max_in_flight = 1'048'577;
    EXPECT_EQ(refusal_of(options),
              "event_loop_options::max_in_flight is 1048577; allowed: 1 to 1048576");
    options = {};
    options.tick_budget = 0;
    EXPECT_EQ(refusal_of(options),
              "event_loop_options::tick_budget is 0; allowed: 1 to 4294967295");
    options = {};
    options.inbox_capacity = 0;
    EXPECT_EQ(refusal_of(options),
              "event_loop_options::inbox_capacity is 0; allowed: 1 to 18446744073709551615");
    options = {};
    options.receive_buffers = 0;
    EXPECT_EQ(refusal_of(options), "event_loop_options::receive_buffers is 0; allowed: 1 to 32768");
    options = {};
    options.receive_buffer_size = 63;
    EXPECT_EQ(refusal_of(options),
              "event_loop_options::receive_buffer_size is 63; allowed: 64 to 1048576");
    options = {};
    options.stall_threshold = -1ns;
    EXPECT_EQ(refusal_of(options),
              "event_loop_options::stall_threshold is -1 ns; allowed: 0 (off) or more");
}

TEST(EventLoopOptionsTest, TheEndsOfTheRangesAreAccepted) {
    event_loop_options options;
    options.ring_entries = 1;
    options.max_in_flight = 1;
    options.tick_budget = 1;
    options.inbox_capacity = 1;
    event_loop smallest(options);
    EXPECT_EQ(smallest.run(give_later(1)), 1);
    options.ring_entries = 32'768;
    options.max_in_flight = 1'048'576;
    options.tick_budget = UINT32_MAX;
    options.inbox_capacity = SIZE_MAX;
    event_loop largest(options);
    EXPECT_EQ(largest.run(give_later(2)), 2);
    EXPECT_EQ(largest.options().max_in_flight, 1'048'576U);
}

TEST(EventLoopOptionsTest, ADriverOfTheCallersIsCheckedAsWell) {
    event_loop_options options;
    options.tick_budget = 0;
    EXPECT_THROW(event_loop(std::make_unique<test::fake_driver>(), options), std::invalid_argument);
}

task<> work_of_every_kind() {
    scope s;
    s.spawn(sleep_an_hour());
    co_await yield();
    s.request_stop();
    co_await s.join();
    co_await sleep_for(1s);
    EXPECT_TRUE(co_await nop());
    event_loop::current()->post([] {});
    co_await yield();
    co_await sleep_for(1s);
}

TEST(EventLoopTest, TheCountersCount) {
    test::virtual_loop on;
    on.run(work_of_every_kind());
    const loop_counters counters = on.loop().counters();
    EXPECT_EQ(counters.timers_armed, 3U);
    EXPECT_EQ(counters.timers_fired, 2U);
    EXPECT_EQ(counters.timers_canceled, 1U);
    EXPECT_EQ(counters.posts, 1U);
    EXPECT_GE(counters.ticks, 4U);
    EXPECT_GE(counters.resumes, 7U);
    EXPECT_LE(counters.resumes, 10U);
    EXPECT_GE(counters.ready_depth_max, 1U);
    EXPECT_GE(counters.sqes, 2U) << "the wake's read and the nop";
    EXPECT_GE(counters.cqes, 1U);
    EXPECT_EQ(counters.wakes, 0U) << "nobody woke it from outside";
    EXPECT_EQ(counters.stalls, 0U);
}

task<> hold_the_loop(manual_clock& clock, duration length, const char* name) {
    co_await name_task(name);
    co_await yield();
    clock.advance(length);
    co_await yield();
}

TEST(EventLoopTest, TheStallDetectorCountsAndReportsWhoHoldsTheLoop) {
    event_loop_options options;
    options.stall_threshold = 10ms;
    options.name = "front";
    test::virtual_loop on(options);
    testing::internal::CaptureStderr();
    on.run(hold_the_loop(on.clock(), 10ms, "just in time"));
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
    EXPECT_EQ(on.loop().counters().stalls, 0U);
    testing::internal::CaptureStderr();
    on.run(hold_the_loop(on.clock(), 12ms, "greedy"));
    EXPECT_EQ(testing::internal::GetCapturedStderr(),
              "weir: task \"greedy\" held front for 12.000 ms (stall_threshold 10.000 ms)\n");
    EXPECT_EQ(on.loop().counters().stalls, 1U);
}

TEST(EventLoopTest, WithoutAThresholdNobodyLooksForStalls) {
    test::virtual_loop on;
    on.run(hold_the_loop(on.clock(), 1h, "patient"));
    EXPECT_EQ(on.loop().counters().stalls, 0U);
}

task<> destroy(std::unique_ptr<event_loop>& loop) {
    loop.reset();
    co_return;
}

TEST(EventLoopDeathTest, DestroyingALoopInsideOfItsRunEndsTheProcess) {
    EXPECT_DEATH(
        {
            auto loop = std::make_unique<event_loop>();
            loop->run(destroy(loop));
        },
        "a loop is destroyed outside of its run\\(\\)");
}

struct idle_timer : detail::timer_node {
    idle_timer() : timer_node([](timer_node&) noexcept {}) {}
};

TEST(EventLoopDeathTest, DestroyingALoopWithTimersEndsTheProcess) {
    EXPECT_DEATH(
        {
            idle_timer timer;
            event_loop loop;
            loop.arm(timer, time_point::max());
        },
        "a loop outlives its tasks and pools");
}

void run_on_two_threads() {
    event_loop loop;
    loop.run(give(1));
    std::jthread([&] { loop.run(give(2)); }).join();
}

TEST(EventLoopDeathTest, RunningOnASecondThreadEndsTheProcess) {
    EXPECT_DEATH(run_on_two_threads(), "a loop runs on the thread of its first run\\(\\) only");
}

// Ends only when it is told to give up.
struct patient_orphan final : detail::orphan {
    explicit patient_orphan(std::function<void()> at_the_end) : last_act(std::move(at_the_end)) {}
    ~patient_orphan() = default;
    void give_up() noexcept override {
        event_loop::current()->post_urgent([this] {
            unlink();
            last_act();
        });
    }
    std::function<void()> last_act;
};

task<> leave(detail::orphan& orphan) {
    event_loop::current()->add_orphan(orphan);
    co_return;
}

TEST(EventLoopTest, AnOrphanThatComesWhileOthersGiveUpIsToldAsWell) {
    event_loop loop;
    bool ended = false;
    patient_orphan second([&ended] { ended = true; });
    patient_orphan first([&loop, &second] { loop.add_orphan(second); });
    loop.run(leave(first));
    EXPECT_TRUE(ended);
}

}  // namespace
}  // namespace weir
