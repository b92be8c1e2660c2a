// Canceling jobs and submitters in every phase of their lives.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include <weir/pool/pool.hpp>
#include <weir/runtime/stop.hpp>
#include <weir/runtime/this_task.hpp>

#include "support/pool_test.hpp"

namespace weir {
namespace {

using test::door;
using test::ending_of;
using test::error_log;
using test::gated;
using test::gated_job;
using test::keep_ending;
using test::run_pool_test;
using test::settle;
using test::sized;
using test::value_job;
using testing::ElementsAre;
using testing::IsEmpty;

task<> a_queued_job_leaves_at_once() {
    pool p(sized(1, 2));
    gated first;
    gated others;
    auto running = co_await p.submit(gated_job, std::ref(first), 1);
    auto second = co_await p.submit(gated_job, std::ref(others), 2);
    auto third = co_await p.submit(gated_job, std::ref(others), 3);
    second.cancel();
    EXPECT_TRUE(second.done());
    EXPECT_EQ(p.stats().queued, 1U);
    EXPECT_EQ(p.stats().canceled, 1U);
    const std::string how = co_await ending_of(second);
    EXPECT_EQ(how, "canceled");
    first.go.set();
    others.go.set();
    co_await p.drain();
    EXPECT_THAT(others.order, ElementsAre(3));
    EXPECT_TRUE(running.done());
    EXPECT_TRUE(third.done());
}

TEST(PoolCancelTest, AQueuedJobLeavesAtOnceAndItsBodyNeverRuns) {
    run_pool_test(a_queued_job_leaves_at_once());
}

task<> its_place_is_granted_at_once() {
    pool p(sized(1, 1));
    gated at;
    scope s;
    auto running = co_await p.submit(gated_job, std::ref(at), 1);
    auto queued = co_await p.submit(gated_job, std::ref(at), 2);
    join_handle<int> third;
    join_handle<int> fourth;
    s.spawn(test::submitted(p, third, gated_job, std::ref(at), 3));
    s.spawn(test::submitted(p, fourth, gated_job, std::ref(at), 4));
    co_await settle();
    EXPECT_EQ(p.stats().parked, 2U);
    queued.cancel();
    EXPECT_EQ(p.stats().parked, 1U);
    EXPECT_EQ(p.stats().queued, 1U);
    co_await settle();
    EXPECT_TRUE(third.valid());
    EXPECT_FALSE(fourth.valid());
    at.go.set();
    co_await s.join();
    co_await p.drain();
    EXPECT_THAT(at.order, ElementsAre(1, 3, 4));
}

TEST(PoolCancelTest, TheQueuePlaceOfACanceledJobGoesToTheFirstThatIsParked) {
    run_pool_test(its_place_is_granted_at_once());
}

task<> canceled_anywhere_in_the_queue(std::size_t victim) {
    pool p(sized(1, 5));
    gated first;
    gated others;
    std::vector<join_handle<int>> queued;
    co_await p.post(gated_job, std::ref(first), 0);
    for (int value = 0; value < 5; ++value) {
        queued.push_back(co_await p.submit(gated_job, std::ref(others), value));
    }
    queued[victim].cancel();
    first.go.set();
    others.go.set();
    co_await p.drain();
    std::vector<int> expected = {0, 1, 2, 3, 4};
    expected.erase(expected.begin() + static_cast<std::ptrdiff_t>(victim));
    EXPECT_EQ(others.order, expected);
}

TEST(PoolCancelTest, AJobLeavesTheQueueFromAnyPlace) {
    for (std::size_t victim = 0; victim < 5; ++victim) {
        run_pool_test(canceled_anywhere_in_the_queue(victim));
    }
}

task<> a_granted_job_never_starts() {
    pool p(sized(1, 1));
    gated at;
    auto granted = p.try_submit(gated_job, std::ref(at), 1);
    auto queued = p.try_submit(gated_job, std::ref(at), 2);
    EXPECT_EQ(p.stats().running, 1U);
    granted->cancel();
    granted->cancel();
    const std::string how = co_await ending_of(*granted);
    EXPECT_EQ(how, "canceled");
    at.go.set();
    const int value = co_await queued->join();
    EXPECT_EQ(value, 2);
    EXPECT_THAT(at.order, ElementsAre(2));
    EXPECT_EQ(p.stats().started, 1U);
    EXPECT_EQ(p.stats().canceled, 1U);
}

TEST(PoolCancelTest, AJobThatHasASlotAndHasNotBegunNeverDoes) {
    run_pool_test(a_granted_job_never_starts());
}

// Ends some time after it was asked to.
task<int> slow_to_stop(gated& at, door& last) {
    int value = 1;
    try {
        value = co_await gated_job(at, 1);
    } catch (const canceled&) {
        value = -1;
    }
    co_await last.pass();
    if (value < 0) {
        throw canceled();
    }
    co_return value;
}

task<> the_slot_is_held_until_the_end() {
    pool p(sized(1, 1));
    gated at;
    gated next;
    door last;
    auto running = co_await p.submit(slow_to_stop, std::ref(at), std::ref(last));
    auto queued = co_await p.submit(gated_job, std::ref(next), 2);
    running.cancel();
    running.cancel();
    co_await settle();
    EXPECT_FALSE(running.done());
    EXPECT_EQ(p.stats().running, 1U);
    EXPECT_EQ(next.begun, 0);
    last.open();
    co_await settle();
    EXPECT_TRUE(running.done());
    EXPECT_EQ(next.begun, 1);
    const std::string how = co_await ending_of(running);
    EXPECT_EQ(how, "canceled");
    next.go.set();
    co_await queued.join();
    EXPECT_EQ(p.stats().canceled, 1U);
    EXPECT_EQ(p.stats().completed, 1U);
}

TEST(PoolCancelTest, ARunningJobIsAskedToStopAndHoldsItsSlotUntilItHasEnded) {
    run_pool_test(the_slot_is_held_until_the_end());
}

task<> a_value_is_kept() {
    pool p(sized(1, 1));
    door at;
    auto running = co_await p.submit(test::stubborn_job, std::ref(at), 5);
    running.cancel();
    co_await settle();
    EXPECT_FALSE(running.done());
    at.open();
    const int value = co_await running.join();
    EXPECT_EQ(value, 5);
    EXPECT_EQ(p.stats().completed, 1U);
    auto ended = co_await p.submit(value_job, 6);
    ended.cancel();
    const int kept = co_await ended.join();
    EXPECT_EQ(kept, 6);
    EXPECT_EQ(p.stats().canceled, 0U);
}

TEST(PoolCancelTest, AValueThatCameInSpiteOfTheStopIsKept) { run_pool_test(a_value_is_kept()); }

task<> throwing_job(gated& at) {
    try {
        co_await gated_job(at, 1);
    } catch (const canceled&) {
        throw std::runtime_error("while stopping");
    }
}

task<> another_error_is_kept() {
    error_log log;
    pool p(log.options(1, 1));
    gated at;
    auto running = co_await p.submit(throwing_job, std::ref(at));
    running.cancel();
    const std::string how = co_await ending_of(running);
    EXPECT_EQ(how, "while stopping");
    EXPECT_EQ(p.stats().failed, 1U);
    auto dropped = co_await p.submit(throwing_job, std::ref(at));
    dropped.cancel();
    dropped.detach();
    co_await p.drain();
    EXPECT_THAT(log.errors, ElementsAre("while stopping"));
}

TEST(PoolCancelTest, AnErrorThatIsNotCanceledIsKept) { run_pool_test(another_error_is_kept()); }

task<> nobody_is_told() {
    error_log log;
    pool p(log.options(1, 2));
    gated at;
    auto running = co_await p.submit(gated_job, std::ref(at), 1);
    auto queued = co_await p.submit(gated_job, std::ref(at), 2);
    queued.cancel();
    queued.detach();
    running.cancel();
    running.detach();
    co_await p.drain();
    EXPECT_THAT(log.errors, IsEmpty());
    EXPECT_EQ(p.stats().unobserved_errors, 0U);
    EXPECT_EQ(p.stats().canceled, 2U);
}

TEST(PoolCancelTest, OnErrorIsNotToldOfJobsThatWereAskedToStop) { run_pool_test(nobody_is_told()); }

// A submitter under a stop of its own.
task<> stopped_submitter(pool& p, gated& at, int value, stop_source& source) {
    co_await with_stop(source, test::posted(p, gated_job, std::ref(at), value));
}

task<> a_parked_submitter_leaves() {
    pool p(sized(1, 0));
    gated at;
    std::string first;
    std::string second;
    stop_source source;
    stop_source unused;
    scope s;
    co_await p.post(gated_job, std::ref(at), 0);
    s.spawn(keep_ending(ending_of(stopped_submitter(p, at, 1, source)), first));
    s.spawn(keep_ending(ending_of(stopped_submitter(p, at, 2, unused)), second));
    co_await settle();
    EXPECT_EQ(p.stats().parked, 2U);
    source.request_stop();
    EXPECT_EQ(p.stats().parked, 1U);
    co_await settle();
    EXPECT_EQ(first, "canceled");
    EXPECT_EQ(second, "pending");
    at.go.set();
    co_await s.join();
    co_await p.drain();
    EXPECT_EQ(second, "value");
    EXPECT_THAT(at.order, ElementsAre(0, 2));
    EXPECT_EQ(p.stats().submitted, 2U);
    EXPECT_EQ(p.stats().rejected, 1U);
}

TEST(PoolCancelTest, AParkedSubmitterThatIsStoppedLeavesTheLine) {
    run_pool_test(a_parked_submitter_leaves());
}

task<> run_under(pool& p, gated& at, stop_source& source) {
    co_await with_stop(source, test::ran(p, gated_job, std::ref(at), 9));
}

// Stops a run() while its job stands behind `ahead` others at a pool of one slot and one place.
task<> run_is_canceled(int ahead) {
    pool p(sized(1, 1));
    gated before;
    gated at;
    std::string how;
    stop_source source;
    scope s;
    for (int count = 0; count < ahead; ++count) {
        co_await p.post(gated_job, std::ref(before), count);
    }
    s.spawn(keep_ending(ending_of(run_under(p, at, source)), how));
    co_await settle();
    EXPECT_EQ(how, "pending");
    EXPECT_EQ(at.begun, ahead == 0 ? 1 : 0);
    EXPECT_EQ(p.stats().parked, ahead == 2 ? 1U : 0U);
    source.request_stop();
    co_await settle();
    EXPECT_EQ(how, "canceled");
    EXPECT_EQ(at.ended, 0);
    before.go.set();
    co_await s.join();
    co_await p.drain();
    EXPECT_EQ(at.begun, ahead == 0 ? 1 : 0);
}

TEST(PoolCancelTest, AStoppedRunCancelsItsJobInEveryPhase) {
    for (const int ahead : {0, 1, 2}) {
        SCOPED_TRACE(ahead);
        run_pool_test(run_is_canceled(ahead));
    }
}

task<> run_waits_for_the_end(pool& p, gated& at, door& last, stop_source& source) {
    co_await with_stop(source, test::ran(p, slow_to_stop, std::ref(at), std::ref(last)));
}

task<> a_stopped_run_waits() {
    pool p(sized(1, 1));
    gated at;
    door last;
    std::string how;
    stop_source source;
    scope s;
    s.spawn(keep_ending(ending_of(run_waits_for_the_end(p, at, last, source)), how));
    co_await settle();
    source.request_stop();
    co_await settle();
    EXPECT_EQ(how, "pending");
    EXPECT_EQ(p.stats().running, 1U);
    last.open();
    co_await s.join();
    EXPECT_EQ(how, "canceled");
}

TEST(PoolCancelTest, AStoppedRunEndsWhenItsJobHasEnded) { run_pool_test(a_stopped_run_waits()); }

task<int> stops_its_caller(stop_source& source) {
    source.request_stop();
    co_await settle();
    co_return 1;
}

task<> the_body_stops_its_own_caller() {
    pool p(sized(1, 1));
    std::string how;
    stop_source source;
    how = co_await ending_of(with_stop(source, test::ran(p, stops_its_caller, std::ref(source))));
    EXPECT_EQ(how, "canceled");
    EXPECT_EQ(p.stats().canceled, 1U);
}

TEST(PoolCancelTest, AStopThatComesFromTheBodyItselfReachesIt) {
    run_pool_test(the_body_stops_its_own_caller());
}

task<> a_stopped_join_leaves_the_job() {
    pool p(sized(1, 1));
    gated at;
    std::string how;
    stop_source source;
    scope s;
    auto handle = co_await p.submit(gated_job, std::ref(at), 4);
    s.spawn(keep_ending(ending_of(with_stop(source, test::joined(handle))), how));
    co_await settle();
    source.request_stop();
    co_await s.join();
    EXPECT_EQ(how, "canceled");
    EXPECT_TRUE(handle.valid());
    EXPECT_FALSE(handle.done());
    at.go.set();
    const int value = co_await handle.join();
    EXPECT_EQ(value, 4);
}

TEST(PoolCancelTest, AStopOfWhoAwaitsAHandleEndsOnlyTheWait) {
    run_pool_test(a_stopped_join_leaves_the_job());
}

}  // namespace
}  // namespace weir
