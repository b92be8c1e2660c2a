// with_pool: drains on success, stops on failure, and never leaves a job behind.
#include <weir/pool/with_pool.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <weir/runtime/stop.hpp>

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

task<> post_three(pool& p, gated& at) {
    for (int value = 1; value <= 3; ++value) {
        co_await p.post(gated_job, std::ref(at), value);
    }
}

task<> success_drains() {
    gated at;
    std::string how;
    scope s;
    s.spawn(keep_ending(ending_of(with_pool(sized(1, 2), post_three, std::ref(at))), how));
    co_await settle();
    EXPECT_EQ(how, "pending");
    EXPECT_EQ(at.begun, 1);
    at.go.set();
    co_await s.join();
    EXPECT_EQ(how, "value");
    EXPECT_EQ(at.ended, 3);
}

TEST(WithPoolTest, SuccessDrains) { run_pool_test(success_drains()); }

task<> post_and_throw(pool& p, gated& at) {
    co_await post_three(p, at);
    throw std::runtime_error("changed my mind");
}

task<> failure_stops() {
    gated at;
    const std::string how =
        co_await ending_of(with_pool(sized(1, 2), post_and_throw, std::ref(at)));
    EXPECT_EQ(how, "changed my mind");
    EXPECT_EQ(at.begun, 1) << "what was queued never runs";
    EXPECT_EQ(at.ended, 0);
}

TEST(WithPoolTest, AnExceptionStops) { run_pool_test(failure_stops()); }

task<int> stubborn_and_throw(pool& p, test::door& at) {
    co_await p.post(test::stubborn_job, std::ref(at), 1);
    throw std::runtime_error("left");
}

task<> failure_joins() {
    test::door at;
    std::string how;
    scope s;
    s.spawn(keep_ending(ending_of(with_pool(sized(1, 0), stubborn_and_throw, std::ref(at))), how));
    co_await settle();
    EXPECT_EQ(how, "pending");
    at.open();
    co_await s.join();
    EXPECT_EQ(how, "left");
}

TEST(WithPoolTest, AnExceptionGoesOnWhenAllJobsHaveEnded) { run_pool_test(failure_joins()); }

task<std::unique_ptr<int>> sum_up(pool& p, std::unique_ptr<int> start) {
    int sum = *start;
    for (int value = 1; value <= 3; ++value) {
        sum += co_await p.run(test::value_job, value);
    }
    co_return std::make_unique<int>(sum);
}

task<> values_are_passed_on() {
    const std::unique_ptr<int> sum =
        co_await with_pool(sized(2, 2), sum_up, std::make_unique<int>(10));
    EXPECT_EQ(*sum, 16);
}

TEST(WithPoolTest, TheValueOfTheFunctionIsYielded) { run_pool_test(values_are_passed_on()); }

task<> wait_inside(pool& p, gated& at) {
    co_await post_three(p, at);
    co_await event().wait();
}

task<> a_stop_stops(task<> inside, gated& at) {
    stop_source source;
    std::string how;
    scope s;
    s.spawn(keep_ending(ending_of(with_stop(source, std::move(inside))), how));
    co_await settle();
    EXPECT_EQ(at.begun, 1);
    source.request_stop();
    co_await s.join();
    EXPECT_EQ(how, "canceled");
    EXPECT_EQ(at.begun, 1);
    EXPECT_EQ(at.ended, 0);
}

task<> a_stop_of_the_function() {
    gated at;
    co_await a_stop_stops(with_pool(sized(1, 2), wait_inside, std::ref(at)), at);
}

task<> a_stop_of_the_drain() {
    gated at;
    co_await a_stop_stops(with_pool(sized(1, 2), post_three, std::ref(at)), at);
}

TEST(WithPoolTest, AStopOfTheTaskStopsThePool) { run_pool_test(a_stop_of_the_function()); }

TEST(WithPoolTest, AStopDuringTheDrainStopsThePool) { run_pool_test(a_stop_of_the_drain()); }

task<int> never(pool&) { co_return 1; }

task<> bad_options_throw() {
    const std::string how = co_await ending_of(with_pool(sized(0, 0), never));
    EXPECT_EQ(how, "pool_options::max_concurrency is 0; allowed: 1 to 16777216");
}

TEST(WithPoolTest, OptionsOutOfRangeThrow) { run_pool_test(bad_options_throw()); }

task<> close_early(pool& p, gated& at) {
    co_await p.post(gated_job, std::ref(at), 1);
    at.go.set();
    co_await p.drain();
    EXPECT_EQ(at.ended, 1);
}

task<> the_function_may_drain() {
    gated at;
    co_await with_pool(sized(1, 0), close_early, std::ref(at));
    EXPECT_EQ(at.ended, 1);
}

TEST(WithPoolTest, TheFunctionMayDrainItself) { run_pool_test(the_function_may_drain()); }

task<> braced_options_work() {
    gated at;
    at.go.set();
    // braces: pool_options is trivially destructible, so that users may write this.
    co_await with_pool({.max_concurrency = 1, .max_queue_size = 2}, post_three, std::ref(at));
    EXPECT_EQ(at.ended, 3);
}

TEST(WithPoolTest, OptionsMayBeBraced) { run_pool_test(braced_options_work()); }

task<> nested_pools(pool& outer, gated& at) {
    for (int value = 1; value <= 2; ++value) {
        co_await outer.run(post_three, std::ref(outer), std::ref(at));
    }
    co_await with_pool(sized(1, 1), post_three, std::ref(at));
}

task<> pools_inside_pools() {
    gated at;
    at.go.set();
    co_await with_pool(sized(1, 1), nested_pools, std::ref(at));
    EXPECT_EQ(at.ended, 9);
}

TEST(WithPoolTest, PoolsMayBeNested) { run_pool_test(pools_inside_pools()); }

// A job of a pool opens another, whose jobs come back to the first.
task<int> run_outside(pool& outer, bool suspends) {
    if (suspends) {
        co_await settle();
    }
    const int first = co_await outer.run(test::value_job, 1);
    auto handle = co_await outer.submit(test::value_job, 2);
    const int second = co_await handle.join();
    co_return first + second;
}

task<> post_inside(pool& inner, pool& outer, int& sum) {
    for (const bool suspends : {false, true}) {
        co_await inner.post(run_outside, std::ref(outer), suspends);
    }
    auto handle = co_await inner.submit(run_outside, std::ref(outer), true);
    sum += co_await handle.join();
    const std::vector<bool> both{false, true};
    const auto again = [&outer](bool suspends) { return run_outside(outer, suspends); };
    for (const int each : co_await inner.batch_run(again, both)) {
        sum += each;
    }
}

task<int> open_inner_pool(pool& outer) {
    int sum = 0;
    co_await with_pool(sized(2, 10), post_inside, std::ref(outer), std::ref(sum));
    co_return sum;
}

task<> inner_jobs_have_their_hosts_slot(std::size_t queue) {
    pool outer(sized(1, queue));
    auto handle = co_await outer.submit(open_inner_pool, std::ref(outer));
    const int sum = co_await handle.join();
    EXPECT_EQ(sum, 9);
    EXPECT_EQ(outer.stats().max_running, 1U);
    EXPECT_EQ(outer.stats().completed, 11U);
    co_await outer.drain();
}

TEST(WithPoolTest, JobsOfAnInnerPoolMayUseThePoolOfTheJobAroundIt) {
    for (const std::size_t queue : {0U, 1U, 10U}) {
        run_pool_test(inner_jobs_have_their_hosts_slot(queue));
    }
}

task<> await_the_host(join_handle<>& host, std::string& how) {
    co_await settle();
    how = co_await ending_of(host);
}

task<> post_waiter(pool& inner, join_handle<>& host, std::string& how) {
    co_await inner.post(await_the_host, std::ref(host), std::ref(how));
}

task<> open_waiting_pool(gated& at, join_handle<>& self, std::string& how) {
    co_await at.go.wait();
    co_await with_pool(sized(1, 1), post_waiter, std::ref(self), std::ref(how));
}

task<> a_ring_through_an_inner_pool() {
    pool outer(sized(1, 1));
    gated at;
    std::string how;
    join_handle<> host;
    host = co_await outer.submit(open_waiting_pool, std::ref(at), std::ref(host), std::ref(how));
    at.go.set();
    co_await outer.drain();
    EXPECT_EQ(how, "would_deadlock") << "who opened the pool waits for the job that would wait";
}

TEST(WithPoolTest, AJobOfAnInnerPoolCannotAwaitTheJobAroundIt) {
    run_pool_test(a_ring_through_an_inner_pool());
}

}  // namespace
}  // namespace weir
