// The ways into a pool, and what each waits for.
#include <weir/pool/pool.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <future>
#include <stdexcept>
#include <string>
#include <vector>

#include <weir/runtime/sleep.hpp>
#include <weir/runtime/this_task.hpp>

#include "support/pool_test.hpp"

namespace weir {
namespace {

using test::gated;
using test::gated_job;
using test::run_pool_test;
using test::settle;
using test::sized;
using test::value_job;
using testing::ElementsAre;
using testing::HasSubstr;

task<> submit_yields_a_handle() {
    pool p(sized(1, 1));
    gated at;
    join_handle<int> handle = co_await p.submit(gated_job, std::ref(at), 7);
    EXPECT_TRUE(handle.valid());
    EXPECT_FALSE(handle.done());
    at.go.set();
    const int value = co_await handle.join();
    EXPECT_EQ(value, 7);
    EXPECT_FALSE(handle.valid());
}

TEST(PoolTest, SubmitYieldsAHandleToTheResult) { run_pool_test(submit_yields_a_handle()); }

task<> run_yields_the_value() {
    pool p(sized(1, 1));
    gated at;
    std::string how;
    scope s;
    s.spawn(test::keep_ending(test::ending_of(test::ran(p, gated_job, std::ref(at), 3)), how));
    co_await settle();
    EXPECT_EQ(how, "pending");
    at.go.set();
    co_await s.join();
    EXPECT_EQ(how, "value");
    const int value = co_await p.run(value_job, 8);
    EXPECT_EQ(value, 8);
}

TEST(PoolTest, RunWaitsForTheEndAndYieldsTheValue) { run_pool_test(run_yields_the_value()); }

task<> post_does_not_wait_for_the_end() {
    pool p(sized(1, 1));
    gated at;
    co_await p.post(gated_job, std::ref(at), 1);
    EXPECT_EQ(at.begun, 1);
    EXPECT_EQ(at.ended, 0);
    at.go.set();
    co_await p.drain();
    EXPECT_EQ(at.ended, 1);
}

TEST(PoolTest, PostNeedsNoHandle) { run_pool_test(post_does_not_wait_for_the_end()); }

task<> a_free_slot_starts_the_body_at_once() {
    pool p(sized(3, 0));
    gated at;
    std::vector<join_handle<int>> handles;
    for (int value = 1; value <= 3; ++value) {
        handles.push_back(co_await p.submit(gated_job, std::ref(at), value));
        EXPECT_EQ(at.begun, value);
    }
    at.go.set();
    co_await p.drain();
}

TEST(PoolTest, AFreeSlotStartsTheBodyBeforeSubmitReturns) {
    run_pool_test(a_free_slot_starts_the_body_at_once());
}

task<> tasks_are_taken_unstarted() {
    pool p(sized(1, 2));
    gated at;
    task<int> work = gated_job(at, 5);
    EXPECT_EQ(at.begun, 0);
    auto handle = co_await p.submit(std::move(work));
    EXPECT_EQ(at.begun, 1);
    co_await p.post(gated_job(at, 6));
    at.go.set();
    const int ran = co_await p.run(gated_job(at, 7));
    const int value = co_await handle.join();
    EXPECT_EQ(value, 5);
    EXPECT_EQ(ran, 7);
    EXPECT_THAT(at.order, ElementsAre(5, 6, 7));
}

TEST(PoolTest, TakesTasksThatWereNotStarted) { run_pool_test(tasks_are_taken_unstarted()); }

task<> an_awaitable_that_is_dropped_does_nothing() {
    pool p(sized(1, 1));
    gated at;
    {
        [[maybe_unused]] auto submit = p.submit(gated_job, std::ref(at), 1);
        [[maybe_unused]] auto post = p.post(gated_job, std::ref(at), 1);
        [[maybe_unused]] auto run = p.run(gated_job, std::ref(at), 1);
        [[maybe_unused]] auto into = p.submit_into(std::promise<int>(), gated_job, std::ref(at), 1);
    }
    co_await settle();
    EXPECT_EQ(at.begun, 0);
    EXPECT_EQ(p.stats().submitted, 0U);
}

TEST(PoolTest, AnAwaitableThatIsNotAwaitedSubmitsNothing) {
    run_pool_test(an_awaitable_that_is_dropped_does_nothing());
}

task<> named_awaitables_can_be_awaited() {
    pool p(sized(1, 1));
    auto submit = p.submit(value_job, 1);
    auto run = p.run(value_job, 2);
    join_handle<int> handle = co_await submit;
    const int second = co_await run;
    const int first = co_await std::move(handle);
    EXPECT_EQ(first, 1);
    EXPECT_EQ(second, 2);
}

TEST(PoolTest, AnAwaitableMayBeNamedAndAwaitedLater) {
    run_pool_test(named_awaitables_can_be_awaited());
}

task<> every_way_in_takes_options() {
    pool p(sized(1, 1));
    submit_options named;
    named.named("fetch");
    gated at;
    auto handle = co_await p.submit(named, gated_job, std::ref(at), 1);
    EXPECT_STREQ(handle.info().name, "fetch");
    co_await p.post(named, gated_job, std::ref(at), 2);
    EXPECT_THAT(p.dump(), HasSubstr("queued: job 2 \"fetch\""));
    at.go.set();
    const int value = co_await p.run(named, value_job, 3);
    EXPECT_EQ(value, 3);
    co_await p.drain();
}

TEST(PoolTest, EveryWayInTakesOptions) { run_pool_test(every_way_in_takes_options()); }

task<> a_stopped_task_submits_nothing(pool& p, gated& at) {
    (co_await detail::context_awaiter()).request_stop();
    const std::string posted =
        co_await test::ending_of(test::posted(p, gated_job, std::ref(at), 1));
    EXPECT_EQ(posted, "canceled");
    const std::string ran = co_await test::ending_of(test::ran(p, gated_job, std::ref(at), 1));
    EXPECT_EQ(ran, "canceled");
    join_handle<int> handle;
    const std::string submitted =
        co_await test::ending_of(test::submitted(p, handle, gated_job, std::ref(at), 1));
    EXPECT_EQ(submitted, "canceled");
    EXPECT_FALSE(handle.valid());
}

task<> a_stop_before_the_call_refuses() {
    pool p(sized(1, 1));
    gated at;
    scope s;
    s.spawn(a_stopped_task_submits_nothing(p, at));
    co_await s.join();
    EXPECT_EQ(at.begun, 0);
    EXPECT_EQ(p.stats().submitted, 0U);
    EXPECT_EQ(p.stats().rejected, 3U);
}

TEST(PoolTest, AStoppedTaskIsRefusedWithCanceled) {
    run_pool_test(a_stop_before_the_call_refuses());
}

task<> pools_do_not_share_bounds() {
    pool a(sized(1, 0));
    pool b(sized(1, 0));
    gated at;
    auto in_a = co_await a.submit(gated_job, std::ref(at), 1);
    auto in_b = co_await b.submit(gated_job, std::ref(at), 2);
    EXPECT_EQ(at.begun, 2);
    at.go.set();
    co_await a.drain();
    co_await b.drain();
}

TEST(PoolTest, PoolsOnOneLoopDoNotShareBounds) { run_pool_test(pools_do_not_share_bounds()); }

task<> deep_in_place_starts(pool& p, int depth, int& deepest) {
    deepest = std::max(deepest, depth);
    if (depth < 300) {
        co_await p.post(deep_in_place_starts, std::ref(p), depth + 1, std::ref(deepest));
    }
}

task<> chains_of_posts_do_not_grow_the_stack() {
    pool p(sized(400, 0));
    int deepest = 0;
    co_await p.post(deep_in_place_starts, std::ref(p), 1, std::ref(deepest));
    co_await settle();
    EXPECT_EQ(deepest, 300);
    co_await p.drain();
}

TEST(PoolTest, AChainOfJobsThatPostEachOtherIsCutIntoTurnsOfTheLoop) {
    run_pool_test(chains_of_posts_do_not_grow_the_stack());
}

std::string refusal_of(pool_options options) {
    test::virtual_loop loop;
    try {
        const pool p(loop.loop(), options);
    } catch (const std::invalid_argument& refused) {
        return refused.what();
    }
    return "none";
}

TEST(PoolTest, RefusesOptionsOutOfTheirRangeByNameValueAndRange) {
    EXPECT_EQ(refusal_of(sized(0, 1)),
              "pool_options::max_concurrency is 0; allowed: 1 to 16777216");
    EXPECT_EQ(refusal_of(sized(16'777'217, 1)),
              "pool_options::max_concurrency is 16777217; allowed: 1 to 16777216");
    EXPECT_EQ(refusal_of(sized(1, 16'777'217)),
              "pool_options::max_queue_size is 16777217; allowed: 0 to 16777216");
    EXPECT_EQ(refusal_of(sized(16'777'216, 0)), "none");
    EXPECT_EQ(refusal_of(sized(static_cast<std::size_t>(-1), 0)),
              "pool_options::max_concurrency is 18446744073709551615; allowed: 1 to 16777216");
}

TEST(PoolTest, HasTheDefaultsOfItsOptions) {
    test::virtual_loop loop;
    const pool p(loop.loop());
    EXPECT_EQ(p.options().max_concurrency, 100U);
    EXPECT_EQ(p.options().max_queue_size, 1000U);
    EXPECT_STREQ(p.options().name, "pool");
}

task<> use_once(pool& p, int& value) { value += co_await p.run(value_job, 5); }
task<> leave_running(pool& p, gated& at) { co_await p.post(gated_job, std::ref(at), 1); }
task<> finish(pool& p, gated& at) {
    EXPECT_EQ(p.stats().running, 1U);
    EXPECT_EQ(at.ended, 0);
    at.go.set();
    co_await p.drain();
}

TEST(PoolTest, OutlivesMainTasksOfOneLoop) {
    test::virtual_loop loop;
    pool global(loop.loop(), sized(1, 1));
    int value = 0;
    gated at;
    loop.run(use_once(global, value));
    loop.run(use_once(global, value));
    EXPECT_EQ(value, 10);
    loop.run(leave_running(global, at));
    EXPECT_EQ(at.begun, 1);
    loop.run(finish(global, at));
    EXPECT_EQ(at.ended, 1);
}

task<> submit_to(pool& p, gated& at) { co_await p.post(gated_job, std::ref(at), 2); }

// A job that outlives the main task that submitted it submits by itself.
task<> submit_later(pool& p, gated& at) {
    co_await sleep_for(std::chrono::seconds(1));
    co_await submit_to(p, at);
}
task<> post_later(pool& p, gated& at) { co_await p.post(submit_later, std::ref(p), std::ref(at)); }
task<> wait_two_seconds() { co_await sleep_for(std::chrono::seconds(2)); }

TEST(PoolTest, JobsOfAGlobalPoolSubmitToItInALaterRun) {
    test::virtual_loop loop;
    pool global(loop.loop(), sized(1, 1));
    gated at;
    loop.run(post_later(global, at));
    EXPECT_EQ(at.begun, 0);
    loop.run(wait_two_seconds());
    EXPECT_EQ(at.begun, 1);
    at.go.set();
    loop.run(global.drain());
    EXPECT_EQ(at.ended, 1);
}

task<> stop_own_context(bool suspends) {
    scheduler::current()->running()->request_stop();
    if (suspends) {
        co_await settle();
    }
}

task<> a_job_that_stops_itself(bool suspends) {
    pool p(sized(1, 3));
    gated at;
    at.go.set();
    co_await p.post(stop_own_context, suspends);
    for (int value = 0; value < 10; ++value) {
        co_await p.post(gated_job, std::ref(at), value);
    }
    co_await p.drain();
    EXPECT_EQ(at.ended, 10);
    EXPECT_EQ(p.stats().completed, suspends ? 10U : 11U);
    EXPECT_EQ(p.stats().canceled, suspends ? 1U : 0U);
}

TEST(PoolTest, AJobThatStopsItselfStopsNoneAfterIt) {
    run_pool_test(a_job_that_stops_itself(false));
    run_pool_test(a_job_that_stops_itself(true));
}

}  // namespace
}  // namespace weir
