// Jobs that use their own pool: nothing waits for a slot that cannot become free, and both bounds
// hold.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <ranges>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <weir/pool/pool.hpp>
#include <weir/runtime/sleep.hpp>
#include <weir/runtime/stop.hpp>
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

task<int> run_chain(pool& p, int depth) {
    if (depth == 0) {
        co_await settle();
        co_return 1;
    }
    co_return 1 + co_await p.run(run_chain, std::ref(p), depth - 1);
}

task<> run_inside() {
    pool p(sized(1, 0));
    const int depth = co_await p.run(run_chain, std::ref(p), 20);
    EXPECT_EQ(depth, 21);
    EXPECT_EQ(p.stats().max_running, 1U);
    EXPECT_EQ(p.stats().max_queued, 0U);
    EXPECT_EQ(p.stats().inlined, 20U);
}

TEST(PoolNestingTest, RunUsesTheSlotOfTheJobThatCallsIt) { run_pool_test(run_inside()); }

// How a guest and its host see the pool.
task<> guest_looks(pool& p) {
    EXPECT_EQ(p.stats().running, 1U);
    co_await settle();
    EXPECT_EQ(p.stats().running, 1U);
}

task<> guest_among_free_slots(pool& p) { co_await p.run(guest_looks, std::ref(p)); }

task<> run_prefers_its_own_slot() {
    pool p(sized(3, 3));
    co_await p.run(guest_among_free_slots, std::ref(p));
    EXPECT_EQ(p.stats().max_running, 1U);
}

TEST(PoolNestingTest, RunUsesItsOwnSlotEvenWhereOthersAreFree) {
    run_pool_test(run_prefers_its_own_slot());
}

task<int> submit_when_full(pool& p, gated& at) {
    co_await at.go.wait();
    auto queued = co_await p.submit(value_job, 1);
    EXPECT_FALSE(queued.done());
    EXPECT_EQ(p.stats().queued, 1U);
    auto inlined = co_await p.submit(value_job, 2);
    EXPECT_TRUE(inlined.done()) << "the queue was full: it ran on this slot";
    const int second = co_await inlined.join();
    const int first = co_await queued.join();
    co_return first + second;
}

task<> submit_inside() {
    pool p(sized(1, 1));
    gated at;
    at.go.set();
    const int sum = co_await p.run(submit_when_full, std::ref(p), std::ref(at));
    EXPECT_EQ(sum, 3);
    EXPECT_EQ(p.stats().inlined, 1U);
    EXPECT_EQ(p.stats().claimed, 1U);
    EXPECT_EQ(p.stats().max_running, 1U);
    EXPECT_EQ(p.stats().max_queued, 1U);
}

TEST(PoolNestingTest, SubmitOnAFullQueueRunsOnTheCallersSlot) { run_pool_test(submit_inside()); }

task<> post_when_full(pool& p, std::vector<int>& order) {
    auto note = [&order](int value) { order.push_back(value); };
    co_await p.post(note, 1);
    EXPECT_THAT(order, ElementsAre());
    co_await p.post(note, 2);
    EXPECT_THAT(order, ElementsAre(2)) << "the queue was full: it ran on this slot";
    order.push_back(3);
}

task<> post_inside() {
    pool p(sized(1, 1));
    std::vector<int> order;
    co_await p.run(post_when_full, std::ref(p), std::ref(order));
    co_await p.drain();
    EXPECT_THAT(order, ElementsAre(2, 3, 1));
    EXPECT_EQ(p.stats().completed, 3U);
}

TEST(PoolNestingTest, PostOnAFullQueueRunsOnTheCallersSlot) { run_pool_test(post_inside()); }

task<> post_slow_when_full(pool& p, gated& at, bool& passed) {
    co_await p.post(gated_job, std::ref(at), 1);
    passed = true;
}

task<> an_inlined_post_is_waited_for() {
    pool p(sized(1, 0));
    gated at;
    bool passed = false;
    co_await p.post(post_slow_when_full, std::ref(p), std::ref(at), std::ref(passed));
    co_await settle();
    EXPECT_EQ(at.begun, 1);
    EXPECT_FALSE(passed) << "one body at a time on one slot";
    at.go.set();
    co_await p.drain();
    EXPECT_TRUE(passed);
}

TEST(PoolNestingTest, AJobWaitsForThePostThatRunsOnItsSlot) {
    run_pool_test(an_inlined_post_is_waited_for());
}

task<> try_inside(pool& p, std::vector<bool>& taken) {
    taken.push_back(p.try_submit(value_job, 1).has_value());
    taken.push_back(p.try_submit(value_job, 2).has_value());
    co_return;
}

task<> try_submit_inside() {
    pool p(sized(1, 1));
    std::vector<bool> taken;
    co_await p.run(try_inside, std::ref(p), std::ref(taken));
    EXPECT_THAT(taken, ElementsAre(true, false)) << "it never waits, so it never runs anything";
    co_await p.drain();
    EXPECT_EQ(p.stats().inlined, 0U);
}

TEST(PoolNestingTest, TrySubmitOnAFullQueueFailsInsideToo) { run_pool_test(try_submit_inside()); }

task<int> claim_the_last(pool& p, std::vector<int>& order) {
    auto note = [&order](int value) {
        order.push_back(value);
        return value;
    };
    auto first = co_await p.submit(note, 1);
    auto second = co_await p.submit(note, 2);
    auto third = co_await p.submit(note, 3);
    const int value = co_await third.join();
    EXPECT_THAT(order, ElementsAre(3)) << "no unrelated work is run";
    co_return value + co_await first.join() + co_await second.join();
}

task<> claims_pick_the_awaited() {
    pool p(sized(1, 3));
    std::vector<int> order;
    const int sum = co_await p.run(claim_the_last, std::ref(p), std::ref(order));
    EXPECT_EQ(sum, 6);
    EXPECT_THAT(order, ElementsAre(3, 1, 2));
    EXPECT_EQ(p.stats().claimed, 3U);
}

TEST(PoolNestingTest, AwaitingAQueuedJobRunsThatOne) { run_pool_test(claims_pick_the_awaited()); }

task<> claim_for_a_parked(pool& p, join_handle<int>& mine, gated& at) {
    co_await at.go.wait();
    const int value = co_await mine.join();
    EXPECT_EQ(value, 5);
    EXPECT_EQ(p.stats().queued, 1U) << "the place went on to who was parked";
}

task<> a_claim_frees_a_place() {
    pool p(sized(1, 1));
    gated at;
    join_handle<int> mine;
    std::string parked;
    scope s;
    co_await p.post(claim_for_a_parked, std::ref(p), std::ref(mine), std::ref(at));
    mine = co_await p.submit(value_job, 5);
    s.spawn(keep_ending(ending_of(test::posted(p, value_job, 6)), parked));
    co_await settle();
    EXPECT_EQ(parked, "pending");
    at.go.set();
    co_await s.join();
    EXPECT_EQ(parked, "value");
    co_await p.drain();
}

TEST(PoolNestingTest, AClaimGrantsThePlaceToWhoIsParked) { run_pool_test(a_claim_frees_a_place()); }

task<> claim_while_paused(pool& p, gated& at) {
    auto queued = co_await p.submit(value_job, 4);
    p.resize(0);
    co_await at.go.wait();
    const int value = co_await queued.join();
    EXPECT_EQ(value, 4);
    const int ran = co_await p.run(value_job, 5);
    EXPECT_EQ(ran, 5);
}

task<> nesting_in_a_paused_pool() {
    pool p(sized(1, 1));
    gated at;
    co_await p.post(claim_while_paused, std::ref(p), std::ref(at));
    at.go.set();
    co_await p.drain();
    EXPECT_EQ(p.stats().completed, 3U);
}

TEST(PoolNestingTest, WhatRunsInAPausedPoolStillNests) {
    run_pool_test(nesting_in_a_paused_pool());
}

task<std::vector<int>> batch_inside(pool& p, int count, int depth) {
    if (depth == 0) {
        std::vector<int> values;
        for (int value = 0; value < count; ++value) {
            values.push_back(co_await p.run(value_job, value));
        }
        co_return values;
    }
    auto inner = [&p, count, depth](int) { return batch_inside(p, count, depth - 1); };
    const auto nested = co_await p.batch_run(inner, std::views::iota(0, count));
    std::vector<int> flat;
    for (const std::vector<int>& values : nested) {
        flat.insert(flat.end(), values.begin(), values.end());
    }
    co_return flat;
}

task<> nested_batches(std::size_t concurrency, std::size_t queue) {
    pool p(sized(concurrency, queue));
    const std::vector<int> values = co_await p.run(batch_inside, std::ref(p), 3, 2);
    std::vector<int> expected;
    for (int copy = 0; copy < 9; ++copy) {
        expected.insert(expected.end(), {0, 1, 2});
    }
    EXPECT_EQ(values, expected);
    EXPECT_LE(p.stats().max_running, concurrency);
    EXPECT_LE(p.stats().max_queued, queue);
}

TEST(PoolNestingTest, BatchesNest) {
    for (const std::size_t concurrency : {1U, 2U, 3U}) {
        for (const std::size_t queue : {0U, 1U, 2U, 5U}) {
            run_pool_test(nested_batches(concurrency, queue));
        }
    }
}

int fail_on_two(int value) { return value != 2 ? value : throw std::runtime_error("two"); }

task<std::string> failing_batch_inside(pool& p) {
    std::string how = "value";
    try {
        static_cast<void>(co_await p.batch_run(fail_on_two, std::views::iota(0, 10)));
    } catch (const std::runtime_error& error) {
        how = error.what();
    }
    co_return how;
}

task<> nested_batches_fail(std::size_t queue) {
    pool p(sized(1, queue));
    const std::string how = co_await p.run(failing_batch_inside, std::ref(p));
    EXPECT_EQ(how, "two");
    EXPECT_EQ(p.stats().running, 0U);
    EXPECT_EQ(p.stats().queued, 0U);
    EXPECT_EQ(p.stats().failed, 1U);
}

TEST(PoolNestingTest, ANestedBatchFailsAsAnyOther) {
    for (const std::size_t queue : {0U, 1U, 2U, 5U}) {
        run_pool_test(nested_batches_fail(queue));
    }
}

// Counts the bodies that are between begin and end at a time.
struct body_count {
    int now = 0;
    int most = 0;
};

task<int> counted(body_count& bodies, int value) {
    bodies.most = std::max(bodies.most, ++bodies.now);
    co_await sleep_for(std::chrono::milliseconds(1));
    --bodies.now;
    co_return value;
}

task<int> branch(pool& p, body_count& bodies, int value) {
    co_return co_await p.run(counted, std::ref(bodies), value);
}

task<int> two_branches(pool& p, body_count& bodies) {
    const auto [left, right] = co_await when_all(branch(p, bodies, 1), branch(p, bodies, 2));
    co_return left + right;
}

task<> branches_take_turns() {
    pool p(sized(1, 1));
    body_count bodies;
    const int sum = co_await p.run(two_branches, std::ref(p), std::ref(bodies));
    EXPECT_EQ(sum, 3);
    EXPECT_EQ(bodies.most, 1);
    EXPECT_EQ(p.stats().max_running, 1U);
}

TEST(PoolNestingTest, ParallelBranchesOfAJobTakeTurnsOnItsSlot) {
    run_pool_test(branches_take_turns());
}

task<int> many_branches(pool& p, body_count& bodies) {
    int sum = 0;
    auto add = [&p, &bodies, &sum](int value) -> task<> {
        return [](pool& q, body_count& b, int& total, int v) -> task<> {
            total += co_await q.run(counted, std::ref(b), v);
        }(p, bodies, sum, value);
    };
    scope s;
    for (int value = 1; value <= 5; ++value) {
        s.spawn(add(value));
    }
    co_await s.join();
    co_return sum;
}

task<> hosts_with_branches_share_the_slots() {
    pool p(sized(2, 5));
    body_count bodies;
    std::vector<join_handle<int>> handles;
    for (int job = 0; job < 4; ++job) {
        handles.push_back(co_await p.submit(many_branches, std::ref(p), std::ref(bodies)));
    }
    for (join_handle<int>& handle : handles) {
        const int sum = co_await handle.join();
        EXPECT_EQ(sum, 15);
    }
    EXPECT_EQ(bodies.most, 2);
}

TEST(PoolNestingTest, BranchesOfSeveralJobsStayWithinTheSlots) {
    run_pool_test(hosts_with_branches_share_the_slots());
}

}  // namespace
}  // namespace weir
