// Waits that could never end throw would_deadlock; waits that can, do not. Also with two pools
// that are nested into each other.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include <weir/pool/pool.hpp>
#include <weir/runtime/when_all.hpp>

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
using testing::ElementsAre;

// The handles of the jobs of a test, and how each job's wait for another ended.
struct ring {
    explicit ring(std::size_t size) : handles(size), endings(size, "not begun") {}
    std::vector<join_handle<>> handles;
    std::vector<std::string> endings;
};

task<> wait_for_other(ring& r, gated& at, std::size_t self, std::size_t other) {
    co_await at.go.wait();
    r.endings[self] = "pending";
    r.endings[self] = co_await ending_of(r.handles[other]);
}

task<> settle_twice(gated& at) {
    co_await at.go.wait();
    co_await settle();
    co_await settle();
}

task<> close_a_ring(std::size_t size) {
    pool p(sized(size, 0));
    ring r(size);
    gated at;
    for (std::size_t self = 0; self < size; ++self) {
        r.handles[self] =
            co_await p.submit(wait_for_other, std::ref(r), std::ref(at), self, (self + 1) % size);
    }
    at.go.set();
    co_await p.drain();
    for (std::size_t self = 0; self + 1 < size; ++self) {
        EXPECT_EQ(r.endings[self], "value");
    }
    EXPECT_EQ(r.endings.back(), "would_deadlock");
}

TEST(PoolCyclesTest, AWaitThatClosesARingThrowsWouldDeadlock) {
    for (const std::size_t size : {1U, 2U, 3U, 10U}) {
        run_pool_test(close_a_ring(size));
    }
}

task<> chains_are_no_rings() {
    pool p(sized(4, 0));
    ring r(4);
    gated at;
    for (std::size_t self = 0; self < 3; ++self) {
        r.handles[self] =
            co_await p.submit(wait_for_other, std::ref(r), std::ref(at), self, self + 1);
    }
    r.handles[3] = co_await p.submit(settle_twice, std::ref(at));
    at.go.set();
    co_await p.drain();
    EXPECT_THAT(r.endings, ElementsAre("value", "value", "value", "not begun"));
}

TEST(PoolCyclesTest, AChainOfWaitsIsNoRing) { run_pool_test(chains_are_no_rings()); }

task<> wait_for_own_handle(ring& r) { r.endings[0] = co_await ending_of(r.handles[0]); }

task<> the_own_handle() {
    pool p(sized(1, 1));
    ring r(1);
    gated at;
    co_await p.post(gated_job, std::ref(at), 1);
    r.handles[0] = co_await p.submit(wait_for_own_handle, std::ref(r));
    at.go.set();
    co_await p.drain();
    EXPECT_EQ(r.endings[0], "would_deadlock");
    EXPECT_TRUE(r.handles[0].valid()) << "the refused wait has read nothing";
    co_await r.handles[0].join();
}

TEST(PoolCyclesTest, AJobCannotAwaitItself) { run_pool_test(the_own_handle()); }

task<> own_handle_in_branches(ring& r) {
    std::string how;
    scope s;
    s.spawn(keep_ending(ending_of(r.handles[0]), how));
    co_await s.join();
    r.endings[0] = how;
}

task<> the_own_handle_in_a_branch() {
    pool p(sized(1, 1));
    ring r(1);
    gated at;
    co_await p.post(gated_job, std::ref(at), 1);
    r.handles[0] = co_await p.submit(own_handle_in_branches, std::ref(r));
    at.go.set();
    co_await p.drain();
    EXPECT_EQ(r.endings[0], "would_deadlock");
}

TEST(PoolCyclesTest, ABranchCannotAwaitTheJobThatItIsPartOf) {
    run_pool_test(the_own_handle_in_a_branch());
}

task<> wait_for_first(ring& r, bool after_suspending) {
    if (after_suspending) {
        co_await settle();
    }
    r.endings[0] = co_await ending_of(r.handles[0]);
}

task<> run_waiter(pool& p, ring& r, gated& at, bool after_suspending) {
    co_await at.go.wait();
    co_await p.run(wait_for_first, std::ref(r), after_suspending);
}

// A guest awaits its host, before and after it has suspended for the first time.
task<> a_guest_awaits_its_host(bool after_suspending) {
    pool p(sized(1, 0));
    ring r(1);
    gated at;
    r.handles[0] =
        co_await p.submit(run_waiter, std::ref(p), std::ref(r), std::ref(at), after_suspending);
    at.go.set();
    co_await p.drain();
    EXPECT_EQ(r.endings[0], "would_deadlock");
}

TEST(PoolCyclesTest, AGuestCannotAwaitItsHost) {
    run_pool_test(a_guest_awaits_its_host(true));
    run_pool_test(a_guest_awaits_its_host(false));
}

task<> post_waiter(pool& p, ring& r, gated& at, bool after_suspending) {
    co_await at.go.wait();
    co_await p.post(wait_for_first, std::ref(r), after_suspending);
}

task<> an_inlined_post_awaits_its_host(bool after_suspending) {
    pool p(sized(1, 0));
    ring r(1);
    gated at;
    r.handles[0] =
        co_await p.submit(post_waiter, std::ref(p), std::ref(r), std::ref(at), after_suspending);
    at.go.set();
    co_await p.drain();
    EXPECT_EQ(r.endings[0], "would_deadlock");
}

TEST(PoolCyclesTest, AnInlinedPostCannotAwaitItsHost) {
    run_pool_test(an_inlined_post_awaits_its_host(true));
    run_pool_test(an_inlined_post_awaits_its_host(false));
}

task<> claim_waiter(pool& p, ring& r, gated& at, bool after_suspending) {
    co_await at.go.wait();
    auto queued = co_await p.submit(wait_for_first, std::ref(r), after_suspending);
    co_await queued.join();
}

task<> a_claimed_job_awaits_its_claimer(bool after_suspending) {
    pool p(sized(1, 1));
    ring r(1);
    gated at;
    r.handles[0] =
        co_await p.submit(claim_waiter, std::ref(p), std::ref(r), std::ref(at), after_suspending);
    at.go.set();
    co_await p.drain();
    EXPECT_EQ(r.endings[0], "would_deadlock");
}

TEST(PoolCyclesTest, AClaimedJobCannotAwaitWhoClaimedIt) {
    run_pool_test(a_claimed_job_awaits_its_claimer(true));
    run_pool_test(a_claimed_job_awaits_its_claimer(false));
}

// Awaits a job of pool `b` that awaits the first job.
task<> run_in_other(pool& b, ring& r, gated& at, bool after_suspending) {
    co_await at.go.wait();
    co_await b.run(wait_for_first, std::ref(r), after_suspending);
}

task<> a_ring_through_two_pools(bool after_suspending) {
    pool a(sized(1, 0));
    pool b(sized(1, 0));
    ring r(1);
    gated at;
    r.handles[0] =
        co_await a.submit(run_in_other, std::ref(b), std::ref(r), std::ref(at), after_suspending);
    at.go.set();
    co_await a.drain();
    co_await b.drain();
    EXPECT_EQ(r.endings[0], "would_deadlock");
}

TEST(PoolCyclesTest, ARingMayLeadThroughAnotherPool) {
    run_pool_test(a_ring_through_two_pools(true));
    run_pool_test(a_ring_through_two_pools(false));
}

// z awaits the first job; y started z in place and awaits it; the first job runs y: whoever closes
// the ring, closes it while all three are on one stack.
task<> start_and_await(pool& p, ring& r) {
    auto inner = co_await p.submit(wait_for_first, std::ref(r), false);
    r.endings[1] = co_await ending_of(inner);
}

task<> run_starter(pool& p, ring& r, gated& at) {
    co_await at.go.wait();
    co_await p.run(start_and_await, std::ref(p), std::ref(r));
}

task<> a_ring_on_one_stack() {
    pool p(sized(2, 0));
    ring r(2);
    gated at;
    r.handles[0] = co_await p.submit(run_starter, std::ref(p), std::ref(r), std::ref(at));
    at.go.set();
    co_await p.drain();
    EXPECT_THAT(r.endings, testing::Contains("would_deadlock"));
}

TEST(PoolCyclesTest, ARingIsSeenWhileItsJobsAreStartingEachOther) {
    run_pool_test(a_ring_on_one_stack());
}

// Recurses from one pool into the other and back.
task<int> ping_pong(pool& here, pool& there, int depth) {
    co_await settle();
    if (depth == 0) {
        co_return 1;
    }
    co_return 1 + co_await there.run(ping_pong, std::ref(there), std::ref(here), depth - 1);
}

task<> pools_nest_into_each_other() {
    pool a(sized(1, 0));
    pool b(sized(1, 0));
    const int depth = co_await a.run(ping_pong, std::ref(a), std::ref(b), 10);
    EXPECT_EQ(depth, 11);
    EXPECT_EQ(a.stats().max_running, 1U);
    EXPECT_EQ(b.stats().max_running, 1U);
}

TEST(PoolCyclesTest, PoolsMayBeNestedIntoEachOther) { run_pool_test(pools_nest_into_each_other()); }

task<int> submit_back(pool& a) {
    auto first = co_await a.submit(value_job, 1);
    auto second = co_await a.submit(value_job, 2);
    auto third = co_await a.submit(value_job, 3);
    const int sum = co_await third.join() + co_await first.join();
    co_return sum + co_await second.join();
}

task<int> run_submit_back(pool& a, pool& b) { co_return co_await b.run(submit_back, std::ref(a)); }

task<> submits_nest_through_another_pool() {
    pool a(sized(1, 1));
    pool b(sized(1, 0));
    const int sum = co_await a.run(run_submit_back, std::ref(a), std::ref(b));
    EXPECT_EQ(sum, 6);
    EXPECT_EQ(a.stats().max_running, 1U);
    EXPECT_EQ(a.stats().max_queued, 1U);
}

TEST(PoolCyclesTest, SubmitsNestThroughAnotherPool) {
    run_pool_test(submits_nest_through_another_pool());
}

// Two jobs on two pools, each of which runs something in the other's pool.
task<int> cross(pool& other, gated& at) {
    co_await at.go.wait();
    co_return co_await other.run(value_job, 1);
}

task<std::string> crossed_runs() {
    // Each holds its own pool's only slot and waits for the other's: only more slots could help.
    pool a(sized(2, 0));
    pool b(sized(2, 0));
    gated at;
    auto in_a = co_await a.submit(cross, std::ref(b), std::ref(at));
    auto in_b = co_await b.submit(cross, std::ref(a), std::ref(at));
    at.go.set();
    const int first = co_await in_a.join();
    const int second = co_await in_b.join();
    co_return first + second == 2 ? "value" : "wrong";
}

task<> crossed_runs_end() {
    const std::string how = co_await crossed_runs();
    EXPECT_EQ(how, "value");
}

TEST(PoolCyclesTest, CrossedRunsEndWhereSlotsAreLeft) { run_pool_test(crossed_runs_end()); }

// A job that runs a batch, one of whose elements waits for that job.
task<> wait_for_job(ring& r, gated& at, int element) {
    if (element == 0) {
        co_await at.go.wait();
        co_await settle();
        co_return;
    }
    co_await at.go.wait();
    co_await r.handles[0].join();
}

task<> run_batch_inside(pool& p, ring& r, gated& at) {
    const auto element = [&r, &at](int number) { return wait_for_job(r, at, number); };
    const std::vector<int> elements{0, 1};
    r.endings[0] = "pending";
    try {
        co_await p.batch_run(element, elements);
        r.endings[0] = "value";
    } catch (const pool_error& error) {
        r.endings[0] = error.code() == pool_errc::would_deadlock ? "would_deadlock" : "other";
    }
}

task<> an_element_waits_for_its_batch() {
    pool p(sized(4, 4));
    ring r(1);
    gated at;
    r.handles[0] = co_await p.submit(run_batch_inside, std::ref(p), std::ref(r), std::ref(at));
    at.go.set();
    co_await p.drain();
    EXPECT_EQ(r.endings[0], "would_deadlock");
}

TEST(PoolCyclesTest, ABatchWhoseElementWaitsForItFailsAndLeavesNothing) {
    run_pool_test(an_element_waits_for_its_batch());
}

// The same by ended(), which no stop ends, in the first step of the element and later.
task<> wait_for_job_to_end(ring& r, bool after_suspending) {
    if (after_suspending) {
        co_await settle();
    }
    co_await r.handles[0].ended();
}

task<> run_ended_batch(pool& p, ring& r, gated& at, bool after_suspending) {
    co_await at.go.wait();
    const auto element = [&r](bool suspends) { return wait_for_job_to_end(r, suspends); };
    const std::vector<bool> elements(2, after_suspending);
    co_await p.batch_run(element, elements);
    r.endings[0] = "value";
}

task<> an_element_waits_for_its_batch_to_end(bool after_suspending) {
    pool p(sized(2, 4));
    ring r(1);
    gated at;
    r.handles[0] = co_await p.submit(run_ended_batch, std::ref(p), std::ref(r), std::ref(at),
                                     after_suspending);
    at.go.set();
    co_await p.drain();
    EXPECT_EQ(r.endings[0], "value") << "ended() comes back where it would wait for ever";
}

TEST(PoolCyclesTest, ABatchEndsWhoseElementWaitsForTheEndOfItsJob) {
    run_pool_test(an_element_waits_for_its_batch_to_end(false));
    run_pool_test(an_element_waits_for_its_batch_to_end(true));
}

}  // namespace
}  // namespace weir
