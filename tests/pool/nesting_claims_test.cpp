// Parallel branches of a job whose slot one of them has: what the others run or await goes on
// wherever there is room first.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include <weir/pool/pool.hpp>
#include <weir/runtime/stop.hpp>
#include <weir/runtime/when_all.hpp>

#include "support/pool_test.hpp"

namespace weir {
namespace {

using test::gated;
using test::gated_job;
using test::joined;
using test::run_pool_test;
using test::settle;
using test::sized;

// ref: the tests' own, which outlive their pools' jobs.
task<> wait_for(event& e) { co_await e.wait(); }
task<> set_it(event& e) {
    e.set();
    co_return;
}
task<> run_one(pool& p, task<> (*body)(event&), event& e) { co_await p.run(body, std::ref(e)); }

// A guest waits for what a queued job does, which another branch awaits.
task<> claim_behind_a_guest(pool& p) {
    event done;
    auto queued = co_await p.submit(set_it, std::ref(done));
    co_await when_all(run_one(p, wait_for, done), joined(queued));
}

task<> another_slot_runs_it() {
    pool p(sized(2, 10));
    gated at;
    co_await p.post(gated_job, std::ref(at), 1);
    auto host = co_await p.submit(claim_behind_a_guest, std::ref(p));
    co_await settle();
    EXPECT_EQ(p.stats().queued, 1U) << "what is awaited stays queued while the turn is taken";
    EXPECT_FALSE(host.done());
    at.go.set();
    co_await host.join();
    EXPECT_EQ(p.stats().claimed, 0U);
    co_await p.drain();
}

TEST(PoolClaimsTest, WhatIsAwaitedBehindAGuestMayRunOnAnotherSlot) {
    run_pool_test(another_slot_runs_it());
}

// The guest ends first, so its turn goes to what is awaited.
task<int> claim_after_a_guest(pool& p, gated& at) {
    auto first = co_await p.submit(gated_job, std::ref(at), 2);
    auto second = co_await p.submit(gated_job, std::ref(at), 3);
    event go;
    scope s;
    s.spawn(run_one(p, wait_for, go));
    co_await settle();
    std::vector<std::string> ends(2);
    s.spawn(test::keep_ending(test::ending_of(second), ends[0]));
    s.spawn(test::keep_ending(test::ending_of(first), ends[1]));
    co_await settle();
    EXPECT_EQ(at.begun, 1);
    EXPECT_EQ(p.stats().queued, 2U);
    go.set();
    co_await settle();
    EXPECT_EQ(at.order, (std::vector<int>{1, 3})) << "one has the turn, in the order of waiting";
    EXPECT_EQ(p.stats().queued, 1U);
    EXPECT_EQ(p.stats().claimed, 1U);
    EXPECT_EQ(p.stats().running, 2U);
    at.go.set();
    co_await s.join();
    EXPECT_EQ(ends, (std::vector<std::string>{"value", "value"}));
    co_return at.ended;
}

task<> the_free_turn_claims() {
    pool p(sized(2, 10));
    gated at;
    co_await p.post(gated_job, std::ref(at), 1);
    auto host = co_await p.submit(claim_after_a_guest, std::ref(p), std::ref(at));
    const int ended = co_await host.join();
    EXPECT_EQ(ended, 3);
    EXPECT_EQ(p.stats().max_running, 2U);
    co_await p.drain();
}

TEST(PoolClaimsTest, WhatIsAwaitedBehindAGuestGetsItsTurn) {
    run_pool_test(the_free_turn_claims());
}

// Stops one branch that awaits a queued job while another has the turn.
task<> stop_a_waiting_branch(pool& p, gated& at, event& stopped, std::vector<std::string>& ends) {
    auto queued = co_await p.submit(gated_job, std::ref(at), 2);
    event go;
    stop_source source;
    scope s;
    s.spawn(run_one(p, wait_for, go));
    co_await settle();
    s.spawn(test::keep_ending(test::ending_of(with_stop(source, joined(queued))), ends[0]));
    co_await settle();
    EXPECT_EQ(ends[0], "pending");
    source.request_stop();
    co_await settle();
    EXPECT_EQ(ends[0], "canceled");
    EXPECT_EQ(p.stats().queued, 1U) << "a stop ends the wait, not the job";
    go.set();
    co_await s.join();
    EXPECT_EQ(p.stats().claimed, 0U);
    stopped.set();
    ends[1] = co_await test::ending_of(queued);
}

task<> a_stop_withdraws_the_claim() {
    pool p(sized(2, 10));
    gated at;
    std::vector<std::string> ends(2);
    co_await p.post(gated_job, std::ref(at), 1);
    event stopped;
    auto host = co_await p.submit(stop_a_waiting_branch, std::ref(p), std::ref(at),
                                  std::ref(stopped), std::ref(ends));
    co_await stopped.wait();
    at.go.set();
    co_await host.join();
    EXPECT_EQ(ends[1], "value");
    co_await p.drain();
}

TEST(PoolClaimsTest, AStopEndsTheWaitBehindAGuest) { run_pool_test(a_stop_withdraws_the_claim()); }

// Two branches, of which the first waits for what the second does.
task<> run_both(pool& p) {
    event done;
    co_await when_all(run_one(p, wait_for, done), run_one(p, set_it, done));
}

task<> a_free_slot_takes_the_second_run() {
    pool p(sized(2, 0));
    auto host = co_await p.submit(run_both, std::ref(p));
    co_await host.join();
    EXPECT_EQ(p.stats().max_running, 2U);
    EXPECT_EQ(p.stats().inlined, 1U);
    co_await p.drain();
}

TEST(PoolClaimsTest, ParallelRunsUseAFreeSlot) {
    run_pool_test(a_free_slot_takes_the_second_run());
}

task<> a_place_takes_the_second_run() {
    pool p(sized(2, 1));
    gated at;
    co_await p.post(gated_job, std::ref(at), 1);
    auto host = co_await p.submit(run_both, std::ref(p));
    co_await settle();
    EXPECT_EQ(p.stats().queued, 1U);
    EXPECT_FALSE(host.done());
    at.go.set();
    co_await host.join();
    EXPECT_EQ(p.stats().max_running, 2U);
    co_await p.drain();
}

TEST(PoolClaimsTest, ParallelRunsQueueWhereNoSlotIsFree) {
    run_pool_test(a_place_takes_the_second_run());
}

// Without room anywhere, the second waits for its turn.
task<> run_two_gated(pool& p, gated& at) {
    co_await when_all(test::ran(p, gated_job, std::ref(at), 1),
                      test::ran(p, gated_job, std::ref(at), 2));
}

task<> a_full_pool_takes_turns() {
    pool p(sized(1, 0));
    gated at;
    auto host = co_await p.submit(run_two_gated, std::ref(p), std::ref(at));
    co_await settle();
    EXPECT_EQ(at.begun, 1);
    at.go.set();
    co_await host.join();
    EXPECT_EQ(at.ended, 2);
    EXPECT_EQ(p.stats().max_running, 1U);
    co_await p.drain();
}

TEST(PoolClaimsTest, ParallelRunsTakeTurnsWhereThereIsNoRoom) {
    run_pool_test(a_full_pool_takes_turns());
}

task<> stop_with_claims() {
    pool p(sized(1, 10));
    event never;
    auto host = co_await p.submit(claim_behind_a_guest, std::ref(p));
    co_await settle();
    const std::vector<job_info> unstarted = co_await p.stop();
    EXPECT_EQ(unstarted.size(), 1U);
    EXPECT_TRUE(host.done());
}

TEST(PoolClaimsTest, AStopOfThePoolEndsThem) { run_pool_test(stop_with_claims()); }

}  // namespace
}  // namespace weir
