// The seam: a loop on a simulated kernel, seen from both sides.
#include <gtest/gtest.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <exception>
#include <expected>
#include <memory>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <utility>

#include <weir/runtime/driver.hpp>
#include <weir/runtime/event.hpp>
#include <weir/runtime/event_loop.hpp>
#include <weir/runtime/nop.hpp>
#include <weir/runtime/with_timeout.hpp>
#include <weir/runtime/yield.hpp>

#include "support/fake_driver.hpp"
#include "support/io.hpp"
#include "support/run_test.hpp"

namespace weir {
namespace {

using namespace std::chrono_literals;

// A loop on a simulated kernel.
class simulated_loop {
  public:
    explicit simulated_loop(event_loop_options options = {})
        : simulated_loop(std::make_unique<test::fake_driver>(), options) {}

    test::fake_driver& kernel;
    event_loop loop;

  private:
    simulated_loop(std::unique_ptr<test::fake_driver> driver, event_loop_options options)
        : kernel(*driver), loop(std::move(driver), options) {}
};

task<result<void>> one_nop() { co_return co_await nop(); }
task<> nap(duration length) { co_await sleep_for(length); }
task<> nothing() { co_return; }

TEST(DriverTest, ALoopAttachesItsDriverOnceAtItsFirstRun) {
    simulated_loop on;
    EXPECT_EQ(on.kernel.attaches(), 0);
    on.loop.run(nothing());
    on.loop.run(nothing());
    EXPECT_EQ(on.kernel.attaches(), 1);
}

TEST(DriverTest, AnAttachThatFailsLeavesTheTaskUnstartedAndMayBeRepeated) {
    simulated_loop on;
    on.kernel.fail_attach(std::make_exception_ptr(std::runtime_error("no ring")));
    bool ran = false;
    const auto note = [](bool& flag) -> task<> {
        flag = true;
        co_return;
    };
    EXPECT_THROW(on.loop.run(note(ran)), std::runtime_error);
    EXPECT_FALSE(ran);
    EXPECT_EQ(scheduler::current(), nullptr);
    on.loop.run(note(ran));
    EXPECT_TRUE(ran);
    EXPECT_EQ(on.kernel.attaches(), 2);
}

task<> note_result(result<void>& out) { out = co_await nop(); }

task<> complete_by_script(test::fake_driver& kernel) {
    kernel.script(test::scripted(5ms, 0));
    result<void> out = std::unexpected(std::make_error_code(std::errc::timed_out));
    scope s;
    s.spawn(note_result(out));
    co_await sleep_for(5ms - 1ns);
    EXPECT_FALSE(out) << "pending before";
    co_await s.join();
    EXPECT_TRUE(out);
}

TEST(DriverTest, AnOperationIsPendingUntilItsCompletion) {
    simulated_loop on;
    on.loop.run(complete_by_script(on.kernel));
    EXPECT_EQ(on.kernel.starts(), 1);
    EXPECT_EQ(on.loop.counters().cqes, 1U) << "a driver adds its share to the counters";
}

TEST(DriverTest, ARefusalOfTheKernelArrivesAsACompletion) {
    simulated_loop on;
    on.kernel.script(test::scripted(0s, -EIO));
    const result<void> done = on.loop.run(one_nop());
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error(), std::errc::io_error);
}

task<result<int>> read_some(char* into) {
    test::io_probe read(io_opcode::read, 42, into, 7);
    EXPECT_EQ(read.operation_state(), detail::operation_state::idle);
    const result<int> count = co_await read;
    EXPECT_EQ(read.operation_state(), detail::operation_state::done);
    co_return count;
}

TEST(DriverTest, TheRequestReachesTheDriverAsItIs) {
    simulated_loop on;
    on.kernel.script(test::scripted(1ms, 3));
    char buffer[7];
    EXPECT_EQ(on.loop.run(read_some(buffer)), 3);
    ASSERT_EQ(on.kernel.requests().size(), 1U);
    const io_request& request = on.kernel.requests()[0];
    EXPECT_EQ(request.opcode, io_opcode::read);
    EXPECT_EQ(request.fd, 42);
    EXPECT_EQ(request.address, buffer);
    EXPECT_EQ(request.length, 7U);
    EXPECT_EQ(request.offset, UINT64_MAX);
}

TEST(DriverTest, AStopAsksTheDriverAndEndsWithTheTerminalCompletion) {
    simulated_loop on;
    on.kernel.script(test::scripted(1h, 0));
    char buffer[7];
    try {
        const result<int> got = on.loop.run(with_timeout(1s, read_some(buffer)));
        ASSERT_FALSE(got);
        EXPECT_EQ(got.error(), std::errc::timed_out);
    } catch (const timed_out&) {
        ADD_FAILURE() << "byte I/O ends with an error code, and the task returned it";
    }
    EXPECT_EQ(on.kernel.cancels(), 1);
}

TEST(DriverTest, AValueThatCameBeforeTheCancelTookEffectIsKept) {
    simulated_loop on;
    const time_point start = on.loop.now();
    on.kernel.script(test::scripted(5s, 6, true));
    char buffer[7];
    EXPECT_EQ(on.loop.run(with_timeout(1s, read_some(buffer))), 6);
    EXPECT_EQ(on.kernel.cancels(), 1);
    EXPECT_EQ(on.loop.now(), start + 5s) << "the await ends at the terminal completion";
}

task<> read_in_scope(char* into, test::fake_driver& kernel) {
    scope s;
    s.spawn(read_some(into));
    co_await yield();
    s.request_stop();
    s.request_stop();
    EXPECT_EQ(kernel.cancels(), 1);
    EXPECT_EQ(s.size(), 1U);
    co_await s.join();
}

TEST(DriverTest, OneCancelIsAskedForHoweverManyStops) {
    simulated_loop on;
    on.kernel.script(test::scripted(1s, 0, true));
    char buffer[7];
    on.loop.run(read_in_scope(buffer, on.kernel));
    EXPECT_EQ(on.kernel.cancels(), 1);
}

TEST(DriverTest, AStoppedTaskStartsNoOperation) {
    simulated_loop on;
    EXPECT_EQ(on.loop.run(test::stopped_before(one_nop())), test::ending::value);
    EXPECT_EQ(on.kernel.starts(), 0);
}

TEST(DriverTest, TimeIsTheDrivers) {
    simulated_loop on;
    const time_point start = on.kernel.now();
    EXPECT_EQ(on.loop.now(), start);
    on.loop.run(nap(1h));
    EXPECT_EQ(on.kernel.now(), start + 1h) << "an exact driver wakes at the deadline itself";
    EXPECT_LE(on.kernel.waits(), 8);
}

task<> yield_often(int times) {
    for (int turn = 0; turn < times; ++turn) {
        co_await yield();
    }
}

TEST(DriverTest, ALoopWithReadyTasksAndNoIoAsksTheDriverForNothing) {
    simulated_loop on;
    on.loop.run(yield_often(10'000));
    EXPECT_EQ(on.kernel.polls(), 0);
    EXPECT_EQ(on.kernel.waits(), 0);
}

TEST(DriverTest, ABusyLoopPollsForWhatHasCompleted) {
    simulated_loop on;
    on.loop.run([]() -> task<> {
        scope s;
        s.spawn(yield_often(10'000));
        EXPECT_TRUE(co_await nop());
        EXPECT_EQ(s.size(), 1U) << "I/O is not starved";
        co_await s.join();
    }());
    EXPECT_GE(on.kernel.polls(), 1);
    EXPECT_EQ(on.kernel.waits(), 0);
}

task<> wait_on(event& flag) { co_await flag.wait(); }

TEST(DriverTest, APostWakesTheDriver) {
    simulated_loop on;
    event flag;
    on.loop.run([](event_loop& loop, event& target) -> task<> {
        scope s;
        s.spawn(nap(1h));
        s.spawn(wait_on(target));
        co_await yield();
        std::jthread([&] { loop.post([&] { target.set(); }); }).join();
        co_await s.join();
    }(on.loop, flag));
    EXPECT_TRUE(flag.is_set());
}

TEST(DriverTest, ThePlainLoopUsesTheDefaultDriver) {
    const std::unique_ptr<driver> io = make_default_driver(event_loop_options());
    const time_point start = io->now();
    EXPECT_EQ(io->in_flight(), 0U);
    EXPECT_GE(io->now(), start);
    manual_clock clock;
    event_loop_options options;
    options.clock = &clock;
    const std::unique_ptr<driver> manual = make_default_driver(options);
    EXPECT_EQ(manual->now(), clock.now());
}

TEST(DriverDeathTest, DestroyingALoopWithOperationsInFlightEndsTheProcess) {
    EXPECT_DEATH(
        {
            simulated_loop on;
            detail::operation left;
            on.kernel.start(left);
        },
        "a loop outlives its tasks and pools");
}

}  // namespace
}  // namespace weir
