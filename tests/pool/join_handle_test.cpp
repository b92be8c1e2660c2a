// What becomes of a job's result, and of a job whose handle is let go.
#include <weir/pool/join_handle.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include <weir/pool/pool.hpp>

#include "support/pool_test.hpp"

namespace weir {
namespace {

using test::ending_of;
using test::gated;
using test::gated_job;
using test::keep_ending;
using test::run_pool_test;
using test::settle;
using test::sized;
using test::value_job;

task<> done_tells_the_end() {
    pool p(sized(1, 1));
    gated at;
    auto handle = co_await p.submit(gated_job, std::ref(at), 1);
    EXPECT_FALSE(handle.done());
    at.go.set();
    co_await settle();
    EXPECT_TRUE(handle.done());
    EXPECT_TRUE(handle.valid());
    const int value = co_await handle.join();
    EXPECT_EQ(value, 1);
    EXPECT_FALSE(handle.done());
}

TEST(JoinHandleTest, DoneTellsWhetherTheJobHasEnded) { run_pool_test(done_tells_the_end()); }

task<> an_awaiting_task_goes_on_at_the_end() {
    pool p(sized(1, 1));
    gated at;
    std::string how;
    scope s;
    auto handle = co_await p.submit(gated_job, std::ref(at), 1);
    s.spawn(keep_ending(ending_of(handle), how));
    co_await settle();
    EXPECT_EQ(how, "pending");
    at.go.set();
    co_await s.join();
    EXPECT_EQ(how, "value");
}

TEST(JoinHandleTest, AnAwaitEndsWhenTheJobHasEnded) {
    run_pool_test(an_awaiting_task_goes_on_at_the_end());
}

task<std::unique_ptr<int>> make_box(int value) { co_return std::make_unique<int>(value); }

// Has no default constructor and cannot be copied.
struct only_moved {
    explicit only_moved(int start) : value(start) {}
    only_moved(only_moved&&) noexcept = default;
    only_moved& operator=(only_moved&&) noexcept = default;
    int value;
};
task<only_moved> make_only_moved(int value) { co_return only_moved(value); }

task<> results_are_moved_out() {
    pool p(sized(1, 1));
    auto handle = co_await p.submit(make_box, 4);
    const std::unique_ptr<int> box = co_await std::move(handle);
    EXPECT_EQ(*box, 4);
    const std::unique_ptr<int> ran = co_await p.run(make_box, 5);
    EXPECT_EQ(*ran, 5);
    const only_moved moved = co_await p.run(make_only_moved, 6);
    EXPECT_EQ(moved.value, 6);
}

TEST(JoinHandleTest, ResultsAreMovedOut) { run_pool_test(results_are_moved_out()); }

task<> dropping_detaches() {
    pool p(sized(1, 1));
    gated at;
    {
        const auto running = co_await p.submit(gated_job, std::ref(at), 1);
        const auto queued = co_await p.submit(gated_job, std::ref(at), 2);
        EXPECT_EQ(at.begun, 1);
    }
    co_await settle();
    EXPECT_EQ(p.stats().queued, 1U);
    at.go.set();
    co_await p.drain();
    EXPECT_EQ(at.ended, 2);
    EXPECT_EQ(p.stats().completed, 2U);
}

TEST(JoinHandleTest, DroppingAHandleLetsTheJobRunOn) { run_pool_test(dropping_detaches()); }

task<> detach_lets_go() {
    pool p(sized(1, 1));
    gated at;
    auto handle = co_await p.submit(gated_job, std::ref(at), 1);
    handle.detach();
    EXPECT_FALSE(handle.valid());
    EXPECT_FALSE(handle.done());
    handle.detach();
    handle.cancel();
    at.go.set();
    co_await p.drain();
    EXPECT_EQ(at.ended, 1);
}

TEST(JoinHandleTest, DetachLetsGoOnce) { run_pool_test(detach_lets_go()); }

task<> a_scoped_handle_cancels() {
    pool p(sized(1, 1));
    gated at;
    {
        const scoped_handle<int> running(co_await p.submit(gated_job, std::ref(at), 1));
        const scoped_handle<int> queued(co_await p.submit(gated_job, std::ref(at), 2));
        EXPECT_FALSE(running.done());
    }
    EXPECT_EQ(p.stats().queued, 0U);
    co_await p.drain();
    EXPECT_EQ(at.begun, 1);
    EXPECT_EQ(at.ended, 0);
    EXPECT_EQ(p.stats().canceled, 2U);
}

TEST(JoinHandleTest, AScopedHandleCancelsWhenItDies) { run_pool_test(a_scoped_handle_cancels()); }

task<> a_scoped_handle_can_be_read() {
    pool p(sized(2, 2));
    gated at;
    at.go.set();
    scoped_handle<int> scoped(co_await p.submit(gated_job, std::ref(at), 1));
    const int value = co_await scoped.join();
    EXPECT_EQ(value, 1);
    scoped.cancel();
    gated still;
    join_handle<int> released;
    {
        scoped_handle<int> other(co_await p.submit(gated_job, std::ref(still), 2));
        released = other.release();
    }
    co_await settle();
    EXPECT_FALSE(released.done());
    still.go.set();
    const int second = co_await released.join();
    EXPECT_EQ(second, 2);
    EXPECT_EQ(p.stats().canceled, 0U);
}

TEST(JoinHandleTest, AScopedHandleThatWasReadOrReleasedCancelsNothing) {
    run_pool_test(a_scoped_handle_can_be_read());
}

task<> assigning_cancels_the_old() {
    pool p(sized(2, 0));
    gated old;
    gated fresh;
    scoped_handle<int> held(co_await p.submit(gated_job, std::ref(old), 1));
    scoped_handle<int> other(co_await p.submit(gated_job, std::ref(fresh), 2));
    held = std::move(other);
    co_await settle();
    EXPECT_EQ(p.stats().canceled, 1U);
    EXPECT_EQ(p.stats().running, 1U);
    const scoped_handle<int> moved(std::move(held));
    fresh.go.set();
    co_await p.drain();
    EXPECT_EQ(fresh.ended, 1);
    EXPECT_EQ(old.ended, 0);
}

TEST(JoinHandleTest, AssigningToAScopedHandleCancelsTheOldJob) {
    run_pool_test(assigning_cancels_the_old());
}

task<> failing(int value) {
    co_await settle();
    throw std::runtime_error("failed " + std::to_string(value));
}

task<> ended_reads_nothing() {
    pool p(sized(1, 1));
    auto handle = co_await p.submit(failing, 3);
    EXPECT_FALSE(handle.done());
    co_await handle.ended();
    EXPECT_TRUE(handle.done());
    co_await handle.ended();
    const std::string how = co_await ending_of(handle);
    EXPECT_EQ(how, "failed 3");
    EXPECT_EQ(p.stats().unobserved_errors, 0U);
}

TEST(JoinHandleTest, EndedWaitsAndReadsNothing) { run_pool_test(ended_reads_nothing()); }

task<> wait_for_end(join_handle<int>& handle) { co_await handle.ended(); }

task<> ended_is_not_stopped() {
    pool p(sized(1, 1));
    gated at;
    std::string how;
    auto handle = co_await p.submit(gated_job, std::ref(at), 3);
    scope s;
    s.spawn(keep_ending(ending_of(wait_for_end(handle)), how));
    co_await settle();
    s.request_stop();
    co_await settle();
    EXPECT_EQ(how, "pending");
    at.go.set();
    co_await s.join();
    EXPECT_EQ(how, "value");
    const int value = co_await handle.join();
    EXPECT_EQ(value, 3);
}

TEST(JoinHandleTest, AStopDoesNotEndAWaitForEnded) { run_pool_test(ended_is_not_stopped()); }

task<> infos_name_the_job() {
    pool p(sized(1, 1));
    submit_options named;
    named.named("second");
    const auto first = co_await p.submit(value_job, 1);
    const auto second = co_await p.submit(named, value_job, 2);
    EXPECT_EQ(first.info().id, 1U);
    EXPECT_STREQ(first.info().name, "job");
    EXPECT_EQ(second.info().id, 2U);
    EXPECT_STREQ(second.info().name, "second");
}

TEST(JoinHandleTest, InfoCountsAndNamesTheJob) { run_pool_test(infos_name_the_job()); }

TEST(JoinHandleTest, AnEmptyHandleIsHarmless) {
    join_handle<int> empty;
    EXPECT_FALSE(empty.valid());
    EXPECT_FALSE(empty.done());
    EXPECT_EQ(empty.info().id, 0U);
    empty.cancel();
    empty.detach();
    const join_handle<int> moved(std::move(empty));
    EXPECT_FALSE(moved.valid());
}

task<> a_handle_may_be_awaited_elsewhere() {
    pool p(sized(1, 1));
    pool other(sized(1, 1));
    gated at;
    auto handle = co_await p.submit(gated_job, std::ref(at), 1);
    auto waiting = co_await other.submit(test::joined<int>, std::ref(handle));
    co_await settle();
    EXPECT_FALSE(waiting.done());
    at.go.set();
    const int value = co_await waiting.join();
    EXPECT_EQ(value, 1);
}

TEST(JoinHandleTest, AJobOfAnotherPoolMayAwaitAHandle) {
    run_pool_test(a_handle_may_be_awaited_elsewhere());
}

}  // namespace
}  // namespace weir
