#include <gtest/gtest.h>

#include <system_error>

#include <weir/runtime/nop.hpp>
#include <weir/runtime/yield.hpp>

#include "support/run_test.hpp"

namespace weir {
namespace {

task<result<void>> one_nop() { co_return co_await nop(); }

TEST(NopTest, ANopMakesARoundTripThroughTheKernel) {
    event_loop loop;
    const loop_counters before = loop.counters();
    EXPECT_TRUE(loop.run(one_nop()));
    const loop_counters after = loop.counters();
    EXPECT_GE(after.cqes - before.cqes, 1U);
    EXPECT_GE(after.enters - before.enters, 1U);
}

task<> keep_nop(bool& done) {
    const result<void> finished = co_await nop();
    done = finished.has_value();
}

task<> pending_then_done() {
    bool done = false;
    scope s;
    s.spawn(keep_nop(done));
    co_await yield();
    EXPECT_FALSE(done) << "a completion is never run inside submit";
    EXPECT_EQ(s.size(), 1U);
    co_await s.join();
    EXPECT_TRUE(done);
}

TEST(NopTest, ANopIsPendingUntilTheLoopHasReaped) { test::run_test(pending_then_done()); }

task<> nop_when_stopped(result<void>& out) { out = co_await nop(); }

TEST(NopTest, AStoppedTaskGetsAnErrorAndNoException) {
    result<void> out;
    test::virtual_loop on;
    EXPECT_EQ(on.run(test::stopped_before(nop_when_stopped(out))), test::ending::value);
    ASSERT_FALSE(out);
    EXPECT_EQ(out.error(), std::errc::operation_canceled);
}

task<> count_nops(int count, int& succeeded) {
    for (int number = 0; number < count; ++number) {
        const result<void> done = co_await nop();
        succeeded += done ? 1 : 0;
    }
}

task<> count_nops_of_many(int tasks, int count, int& succeeded) {
    scope s;
    for (int number = 0; number < tasks; ++number) {
        s.spawn(count_nops(count, succeeded));
    }
    co_await s.join();
}

TEST(NopTest, ManyNopsShareTheirSystemCalls) {
    event_loop loop;
    int succeeded = 0;
    loop.run(count_nops_of_many(100, 10, succeeded));
    EXPECT_EQ(succeeded, 1000);
    const loop_counters counters = loop.counters();
    EXPECT_GE(counters.cqes, 1000U);
    EXPECT_LE(counters.enters, 50U);
}

}  // namespace
}  // namespace weir
