// close() and drain().
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include <weir/pool/pool.hpp>
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
using test::value_job;

task<> close_refuses() {
    pool p(sized(1, 1));
    p.close();
    const std::string posted = co_await ending_of(test::posted(p, value_job, 1));
    const std::string ran = co_await ending_of(test::ran(p, value_job, 1));
    join_handle<int> handle;
    const std::string submitted = co_await ending_of(test::submitted(p, handle, value_job, 1));
    EXPECT_EQ(posted, "closed");
    EXPECT_EQ(ran, "closed");
    EXPECT_EQ(submitted, "closed");
    EXPECT_EQ(p.try_submit(value_job, 1).error(), pool_errc::closed);
    EXPECT_EQ(p.stats().rejected, 4U);
    EXPECT_EQ(p.stats().submitted, 0U);
}

TEST(PoolCloseTest, EveryWayInFailsWithClosedAfterwards) { run_pool_test(close_refuses()); }

task<> close_fails_the_parked() {
    pool p(sized(1, 1));
    gated at;
    std::string posted;
    std::string ran;
    scope s;
    co_await p.post(gated_job, std::ref(at), 1);
    co_await p.post(gated_job, std::ref(at), 2);
    s.spawn(keep_ending(ending_of(test::posted(p, gated_job, std::ref(at), 3)), posted));
    s.spawn(keep_ending(ending_of(test::ran(p, gated_job, std::ref(at), 4)), ran));
    co_await settle();
    EXPECT_EQ(p.stats().parked, 2U);
    p.close();
    EXPECT_EQ(p.stats().parked, 0U);
    p.close();
    co_await s.join();
    EXPECT_EQ(posted, "closed");
    EXPECT_EQ(ran, "closed");
    EXPECT_EQ(p.stats().queued, 1U) << "what was admitted stays";
    at.go.set();
    co_await p.drain();
    EXPECT_EQ(at.ended, 2);
}

TEST(PoolCloseTest, WhoIsParkedFailsAtOnceAndWhatWasAdmittedRunsOn) {
    run_pool_test(close_fails_the_parked());
}

task<> close_does_not_wait() {
    pool p(sized(1, 0));
    gated at;
    auto handle = co_await p.submit(gated_job, std::ref(at), 1);
    p.close();
    EXPECT_FALSE(handle.done());
    at.go.set();
    const int value = co_await handle.join();
    EXPECT_EQ(value, 1);
}

TEST(PoolCloseTest, DoesNotWait) { run_pool_test(close_does_not_wait()); }

task<> drain_waits_for_all() {
    pool p(sized(1, 2));
    gated first;
    gated second;
    std::string how;
    scope s;
    co_await p.post(gated_job, std::ref(first), 1);
    co_await p.post(gated_job, std::ref(second), 2);
    s.spawn(keep_ending(ending_of(p.drain()), how));
    co_await settle();
    EXPECT_EQ(how, "pending");
    EXPECT_EQ(p.try_submit(value_job, 1).error(), pool_errc::closed);
    first.go.set();
    co_await settle();
    EXPECT_EQ(how, "pending");
    EXPECT_EQ(second.begun, 1);
    second.go.set();
    co_await s.join();
    EXPECT_EQ(how, "value");
    EXPECT_EQ(p.stats().completed, 2U);
}

TEST(PoolDrainTest, ClosesRunsTheQueueAndWaitsForTheEnd) { run_pool_test(drain_waits_for_all()); }

task<> drain_before_the_first_use() {
    for (const std::size_t queue : {0U, 1U, 5U}) {
        pool p(sized(3, queue));
        co_await p.drain();
        co_await p.drain();
    }
    pool wide(sized(100, 1));
    co_await wide.drain();
}

TEST(PoolDrainTest, IsLegalBeforeTheFirstUseAndAgain) {
    run_pool_test(drain_before_the_first_use());
}

task<> drains_side_by_side() {
    pool p(sized(1, 1));
    gated at;
    std::vector<std::string> endings(3);
    scope s;
    co_await p.post(gated_job, std::ref(at), 1);
    for (std::string& how : endings) {
        s.spawn(keep_ending(ending_of(p.drain()), how));
    }
    co_await settle();
    EXPECT_EQ(endings, std::vector<std::string>(3, "pending"));
    at.go.set();
    co_await s.join();
    EXPECT_EQ(endings, std::vector<std::string>(3, "value"));
    co_await p.drain();
}

TEST(PoolDrainTest, ManyMayWaitAtATime) { run_pool_test(drains_side_by_side()); }

task<> a_drain_can_be_stopped() {
    pool p(sized(1, 0));
    gated at;
    stop_source source;
    std::string how;
    scope s;
    co_await p.post(gated_job, std::ref(at), 1);
    s.spawn(keep_ending(ending_of(with_stop(source, p.drain())), how));
    co_await settle();
    source.request_stop();
    co_await s.join();
    EXPECT_EQ(how, "canceled");
    EXPECT_EQ(p.stats().running, 1U) << "the jobs are not stopped with it";
    at.go.set();
    co_await p.drain();
    EXPECT_EQ(at.ended, 1);
}

TEST(PoolDrainTest, AStopEndsTheWaitOnly) { run_pool_test(a_drain_can_be_stopped()); }

task<> a_paused_pool_drains_after_resize() {
    pool p(sized(1, 2));
    gated at;
    at.go.set();
    std::string how;
    scope s;
    p.resize(0);
    co_await p.post(gated_job, std::ref(at), 1);
    s.spawn(keep_ending(ending_of(p.drain()), how));
    co_await settle();
    EXPECT_EQ(how, "pending");
    EXPECT_EQ(at.begun, 0);
    p.resize(1);
    co_await s.join();
    EXPECT_EQ(at.ended, 1);
}

TEST(PoolDrainTest, APausedPoolDrainsWhenItIsResized) {
    run_pool_test(a_paused_pool_drains_after_resize());
}

task<> a_canceled_queue_ends_a_drain() {
    pool p(sized(1, 2));
    gated at;
    std::string how;
    scope s;
    p.resize(0);
    auto first = co_await p.submit(gated_job, std::ref(at), 1);
    auto second = co_await p.submit(gated_job, std::ref(at), 2);
    s.spawn(keep_ending(ending_of(p.drain()), how));
    co_await settle();
    first.cancel();
    co_await settle();
    EXPECT_EQ(how, "pending");
    second.cancel();
    co_await s.join();
    EXPECT_EQ(how, "value");
    EXPECT_EQ(at.begun, 0);
}

TEST(PoolDrainTest, EndsWhenTheLastQueuedJobIsCanceled) {
    run_pool_test(a_canceled_queue_ends_a_drain());
}

// What a job of the pool gets that drains or stops its own pool.
task<std::string> drain_inside(pool& p) { co_return co_await ending_of(p.drain()); }
task<std::string> stop_inside(pool& p) { co_return co_await ending_of(p.stop()); }
task<std::string> drain_for_inside(pool& p) {
    co_return co_await ending_of(p.drain_for(std::chrono::seconds(1)));
}
task<std::string> drain_in_a_branch(pool& p) {
    std::string how;
    scope s;
    s.spawn(keep_ending(ending_of(p.drain()), how));
    co_await s.join();
    co_return how;
}
task<std::string> drain_in_a_guest(pool& p) { co_return co_await p.run(drain_inside, std::ref(p)); }
task<std::string> drain_through(pool& p, pool& other) {
    co_return co_await other.run(drain_inside, std::ref(p));
}

task<> a_job_cannot_wait_for_its_own_end() {
    pool p(sized(1, 1));
    pool other(sized(1, 1));
    const std::string drained = co_await p.run(drain_inside, std::ref(p));
    EXPECT_EQ(drained, "would_deadlock");
    const std::string stopped = co_await p.run(stop_inside, std::ref(p));
    EXPECT_EQ(stopped, "would_deadlock");
    const std::string drained_for = co_await p.run(drain_for_inside, std::ref(p));
    EXPECT_EQ(drained_for, "would_deadlock");
    const std::string branch = co_await p.run(drain_in_a_branch, std::ref(p));
    EXPECT_EQ(branch, "would_deadlock");
    const std::string guest = co_await p.run(drain_in_a_guest, std::ref(p));
    EXPECT_EQ(guest, "would_deadlock");
    const std::string through = co_await p.run(drain_through, std::ref(p), std::ref(other));
    EXPECT_EQ(through, "would_deadlock");
    const int still_open = co_await p.run(value_job, 1);
    EXPECT_EQ(still_open, 1);
}

TEST(PoolDrainTest, InsideAJobOfThePoolItThrowsWouldDeadlock) {
    run_pool_test(a_job_cannot_wait_for_its_own_end());
}

task<int> close_inside(pool& p) {
    p.close();
    co_return 1;
}

task<> a_job_may_close_its_pool() {
    pool p(sized(1, 1));
    const int value = co_await p.run(close_inside, std::ref(p));
    EXPECT_EQ(value, 1);
    EXPECT_EQ(p.try_submit(value_job, 1).error(), pool_errc::closed);
    co_await p.drain();
}

TEST(PoolCloseTest, AJobMayCloseItsOwnPool) { run_pool_test(a_job_may_close_its_pool()); }

// Goes on submitting in every way while its pool drains.
task<int> goes_on_nesting(pool& p, gated& at) {
    co_await at.go.wait();
    int sum = co_await p.run(value_job, 1);
    auto handle = co_await p.submit(value_job, 2);
    sum += co_await handle.join();
    co_await p.post(value_job, 3);
    auto tried = p.try_submit(value_job, 4);
    sum += tried.has_value() ? co_await tried->join() : 100;
    co_return sum;
}

task<> members_nest_while_draining() {
    pool p(sized(1, 2));
    gated at;
    std::string how;
    scope s;
    auto handle = co_await p.submit(goes_on_nesting, std::ref(p), std::ref(at));
    s.spawn(keep_ending(ending_of(p.drain()), how));
    co_await settle();
    EXPECT_EQ(p.try_submit(value_job, 1).error(), pool_errc::closed);
    at.go.set();
    co_await s.join();
    EXPECT_EQ(how, "value");
    const int sum = co_await handle.join();
    EXPECT_EQ(sum, 7);
    EXPECT_EQ(p.stats().completed, 5U);
}

TEST(PoolDrainTest, JobsOfThePoolMayStillSubmitMeanwhile) {
    run_pool_test(members_nest_while_draining());
}

}  // namespace
}  // namespace weir
