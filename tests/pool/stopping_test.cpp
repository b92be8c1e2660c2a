// stop() and drain_for(), and what they tell of what never started.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include <weir/pool/pool.hpp>
#include <weir/runtime/sleep.hpp>
#include <weir/runtime/stop.hpp>
#include <weir/runtime/this_task.hpp>

#include "support/pool_test.hpp"
#include "support/tracked.hpp"

namespace weir {
namespace {

using namespace std::chrono_literals;
using test::ending_of;
using test::gated;
using test::gated_job;
using test::keep_ending;
using test::run_pool_test;
using test::settle;
using test::sized;
using test::value_job;
using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::uint64_t> ids(const std::vector<job_info>& jobs) {
    std::vector<std::uint64_t> out;
    for (const job_info& job : jobs) {
        out.push_back(job.id);
    }
    return out;
}

task<> stop_ends_everything() {
    pool p(sized(1, 3));
    gated at;
    std::string parked;
    scope s;
    submit_options named;
    named.named("third");
    auto running = co_await p.submit(gated_job, std::ref(at), 1);
    auto queued = co_await p.submit(gated_job, std::ref(at), 2);
    auto last = co_await p.submit(named, gated_job, std::ref(at), 3);
    co_await p.post(gated_job, std::ref(at), 4);
    s.spawn(keep_ending(ending_of(test::posted(p, gated_job, std::ref(at), 5)), parked));
    co_await settle();
    const std::vector<job_info> unstarted = co_await p.stop();
    EXPECT_THAT(ids(unstarted), ElementsAre(2, 3, 4));
    EXPECT_STREQ(unstarted[0].name, "job");
    EXPECT_STREQ(unstarted[1].name, "third");
    co_await s.join();
    EXPECT_EQ(parked, "closed");
    EXPECT_EQ(at.begun, 1);
    EXPECT_EQ(at.ended, 0);
    for (join_handle<int>* handle : {&running, &queued, &last}) {
        const std::string how = co_await ending_of(*handle);
        EXPECT_EQ(how, "canceled");
    }
    EXPECT_EQ(p.stats().canceled, 4U);
}

TEST(PoolStopTest, CancelsTheQueueStopsWhatRunsAndNamesWhatNeverStarted) {
    run_pool_test(stop_ends_everything());
}

task<> stop_waits_for_the_end() {
    pool p(sized(1, 1));
    test::door at;
    std::string how;
    scope s;
    auto running = co_await p.submit(test::stubborn_job, std::ref(at), 7);
    s.spawn(keep_ending(ending_of(p.stop()), how));
    co_await settle();
    EXPECT_EQ(how, "pending");
    EXPECT_EQ(p.stats().running, 1U);
    at.open();
    co_await s.join();
    EXPECT_EQ(how, "value");
    const int value = co_await running.join();
    EXPECT_EQ(value, 7);
}

TEST(PoolStopTest, WaitsUntilWhatRanHasEnded) { run_pool_test(stop_waits_for_the_end()); }

// Computes until it sees that it was asked to stop; returns a value all the same.
task<int> polls(test::door& at) {
    const bool before = co_await stop_requested();
    co_await at.pass();
    const bool after = co_await stop_requested();
    co_return !before && after ? 1 : 0;
}

task<> jobs_can_ask() {
    pool p(sized(1, 1));
    test::door at;
    std::string how;
    scope s;
    auto handle = co_await p.submit(polls, std::ref(at));
    s.spawn(keep_ending(ending_of(p.stop()), how));
    co_await settle();
    at.open();
    co_await s.join();
    const int seen = co_await handle.join();
    EXPECT_EQ(seen, 1);
    EXPECT_EQ(p.stats().completed, 1U);
}

TEST(PoolStopTest, AJobCanAskWhetherItIsToStop) { run_pool_test(jobs_can_ask()); }

task<> stop_is_not_stopped() {
    pool p(sized(1, 1));
    test::door at;
    stop_source source;
    std::string how;
    scope s;
    co_await p.post(test::stubborn_job, std::ref(at), 7);
    s.spawn(keep_ending(ending_of(with_stop(source, p.stop())), how));
    co_await settle();
    source.request_stop();
    co_await settle();
    EXPECT_EQ(how, "pending");
    at.open();
    co_await s.join();
    EXPECT_EQ(how, "value");
}

TEST(PoolStopTest, AStopOfTheCallerDoesNotEndIt) { run_pool_test(stop_is_not_stopped()); }

task<> granted_jobs_never_started() {
    pool p(sized(2, 2));
    gated at;
    std::vector<join_handle<int>> handles;
    for (int value = 1; value <= 4; ++value) {
        auto handle = p.try_submit(gated_job, std::ref(at), value);
        handles.push_back(std::move(*handle));
    }
    EXPECT_EQ(p.stats().running, 2U);
    const std::vector<job_info> unstarted = co_await p.stop();
    EXPECT_EQ(at.begun, 0);
    EXPECT_THAT(ids(unstarted), ElementsAre(1, 2, 3, 4));
}

TEST(PoolStopTest, NamesJobsThatHadASlotAndHadNotBegun) {
    run_pool_test(granted_jobs_never_started());
}

task<> stop_before_use_and_again() {
    pool p(sized(1, 1));
    const std::vector<job_info> none = co_await p.stop();
    EXPECT_THAT(none, IsEmpty());
    const std::vector<job_info> again = co_await p.stop();
    EXPECT_THAT(again, IsEmpty());
    co_await p.drain();
    EXPECT_EQ(p.try_submit(value_job, 1).error(), pool_errc::closed);
}

TEST(PoolStopTest, IsLegalBeforeTheFirstUseAndAgain) { run_pool_test(stop_before_use_and_again()); }

task<> stop_after_drain_began() {
    pool p(sized(1, 2));
    gated at;
    std::string drained;
    scope s;
    co_await p.post(gated_job, std::ref(at), 1);
    co_await p.post(gated_job, std::ref(at), 2);
    s.spawn(keep_ending(ending_of(p.drain()), drained));
    co_await settle();
    const std::vector<job_info> unstarted = co_await p.stop();
    co_await s.join();
    EXPECT_THAT(ids(unstarted), ElementsAre(2));
    EXPECT_EQ(drained, "value");
}

TEST(PoolStopTest, EndsADrainThatIsUnderWay) { run_pool_test(stop_after_drain_began()); }

task<> a_paused_pool_stops() {
    pool p(sized(1, 2));
    gated at;
    p.resize(0);
    co_await p.post(gated_job, std::ref(at), 1);
    const std::vector<job_info> unstarted = co_await p.stop();
    EXPECT_THAT(ids(unstarted), ElementsAre(1));
}

TEST(PoolStopTest, StopsAPausedPool) { run_pool_test(a_paused_pool_stops()); }

task<> stop_frees_what_is_queued(test::tracked::counts& counts) {
    pool p(sized(1, 3));
    gated at;
    const auto read = [](const test::tracked& value) { return value.value(); };
    co_await p.post(gated_job, std::ref(at), 1);
    co_await p.post(read, test::tracked(counts, 1));
    auto handle = co_await p.submit(read, test::tracked(counts, 2));
    EXPECT_EQ(counts.alive(), 2);
    co_await p.stop();
    EXPECT_EQ(counts.alive(), 0);
    EXPECT_TRUE(handle.done());
}

TEST(PoolStopTest, FreesTheArgumentsOfWhatNeverRan) {
    test::tracked::counts counts;
    run_pool_test(stop_frees_what_is_queued(counts));
    EXPECT_EQ(counts.constructed, counts.destroyed);
}

// Tries to nest after its pool was stopped.
task<> nests_after_the_stop(pool& p, test::door& at, std::vector<std::string>& endings) {
    co_await at.pass();
    endings.push_back(co_await ending_of(test::ran(p, value_job, 1)));
    endings.push_back(co_await ending_of(test::posted(p, value_job, 1)));
    const auto tried = p.try_submit(value_job, 1);
    endings.push_back(tried.error() == pool_errc::closed ? "closed" : "other");
}

task<> members_do_not_nest_while_stopping() {
    pool p(sized(1, 1));
    test::door at;
    std::vector<std::string> endings;
    std::string how;
    scope s;
    co_await p.post(nests_after_the_stop, std::ref(p), std::ref(at), std::ref(endings));
    s.spawn(keep_ending(ending_of(p.stop()), how));
    co_await settle();
    at.open();
    co_await s.join();
    EXPECT_EQ(how, "value");
    EXPECT_THAT(endings, ElementsAre("canceled", "canceled", "closed"));
}

TEST(PoolStopTest, JobsOfThePoolSubmitNoMore) {
    run_pool_test(members_do_not_nest_while_stopping());
}

task<> drain_for_in_time() {
    pool p(sized(1, 2));
    gated at;
    co_await p.post(gated_job, std::ref(at), 1);
    co_await p.post(gated_job, std::ref(at), 2);
    at.go.set();
    const time_point before = scheduler::current()->now();
    const drain_report report = co_await p.drain_for(10s);
    EXPECT_TRUE(report.drained);
    EXPECT_THAT(report.unstarted, IsEmpty());
    EXPECT_EQ(at.ended, 2);
    EXPECT_LT(scheduler::current()->now(), before + 1s);
}

TEST(PoolDrainForTest, EndsWhenAllHaveEnded) { run_pool_test(drain_for_in_time()); }

task<> drain_for_too_long() {
    pool p(sized(1, 2));
    gated at;
    co_await p.post(gated_job, std::ref(at), 1);
    co_await p.post(gated_job, std::ref(at), 2);
    const time_point before = scheduler::current()->now();
    const drain_report report = co_await p.drain_for(10s);
    const duration took = scheduler::current()->now() - before;
    EXPECT_GE(took, duration(10s));
    EXPECT_LT(took, duration(10s + 1ms));
    EXPECT_FALSE(report.drained);
    EXPECT_THAT(ids(report.unstarted), ElementsAre(2));
    EXPECT_EQ(at.begun, 1);
    EXPECT_EQ(at.ended, 0);
    EXPECT_EQ(p.stats().running, 0U);
}

TEST(PoolDrainForTest, StopsWhenTheTimeIsUp) { run_pool_test(drain_for_too_long()); }

task<> drain_for_no_time() {
    pool idle(sized(1, 2));
    const drain_report nothing = co_await idle.drain_for(0s);
    EXPECT_TRUE(nothing.drained);
    pool busy(sized(1, 2));
    gated at;
    co_await busy.post(gated_job, std::ref(at), 1);
    co_await busy.post(gated_job, std::ref(at), 2);
    const drain_report report = co_await busy.drain_for(-1s);
    EXPECT_FALSE(report.drained);
    EXPECT_THAT(ids(report.unstarted), ElementsAre(2));
    const drain_report again = co_await busy.drain_for(1s);
    EXPECT_TRUE(again.drained);
}

TEST(PoolDrainForTest, WithoutTimeOnlyAnIdlePoolDrains) { run_pool_test(drain_for_no_time()); }

task<> a_stopped_drain_for() {
    pool p(sized(1, 2));
    gated at;
    stop_source source;
    std::string how;
    scope s;
    co_await p.post(gated_job, std::ref(at), 1);
    s.spawn(keep_ending(ending_of(with_stop(source, p.drain_for(10s))), how));
    co_await settle();
    source.request_stop();
    co_await s.join();
    EXPECT_EQ(how, "canceled");
    EXPECT_EQ(p.stats().running, 1U);
    at.go.set();
    co_await p.drain();
}

TEST(PoolDrainForTest, AStopOfTheCallerEndsTheWait) { run_pool_test(a_stopped_drain_for()); }

}  // namespace
}  // namespace weir
