// batch_run when a job fails, when the caller is stopped, when the pool is closed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <ranges>
#include <stdexcept>
#include <string>
#include <vector>

#include <weir/pool/pool.hpp>
#include <weir/runtime/sleep.hpp>
#include <weir/runtime/stop.hpp>

#include "support/pool_test.hpp"

namespace weir {
namespace {

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

// What happened to the jobs of a batch.
struct journal {
    std::vector<int> begun;
    std::vector<int> ended;
    std::vector<int> stopped;
};

// Value 3 fails after 3 ms, 13 after 13 ms and so on; the others take a second.
task<int> three_fails(journal& j, int value) {
    j.begun.push_back(value);
    try {
        if (value % 10 == 3) {
            co_await sleep_for(std::chrono::milliseconds(value));
            throw std::runtime_error("failed " + std::to_string(value));
        }
        co_await sleep_for(std::chrono::seconds(1));
    } catch (const canceled&) {
        j.stopped.push_back(value);
        throw;
    }
    j.ended.push_back(value);
    co_return value;
}

template <class... Values>
task<std::vector<int>> run_three_fails(pool& p, journal& j, Values... values) {
    auto call = [&j](int value) { return three_fails(j, value); };
    const std::vector<int> input = {values...};
    co_return co_await p.batch_run(call, input);
}

task<> a_failure_stops_the_siblings() {
    error_log log;
    pool p(log.options(3, 2));
    journal j;
    const std::string how = co_await ending_of(run_three_fails(p, j, 1, 2, 3, 4, 5, 6, 7, 8));
    EXPECT_EQ(how, "failed 3");
    EXPECT_THAT(j.begun, ElementsAre(1, 2, 3));
    EXPECT_THAT(j.stopped, ElementsAre(1, 2));
    EXPECT_THAT(j.ended, IsEmpty());
    EXPECT_EQ(p.stats().running, 0U) << "all have ended when the error is rethrown";
    EXPECT_EQ(p.stats().queued, 0U);
    EXPECT_THAT(log.errors, IsEmpty());
    const int next = co_await p.run(value_job, 1);
    EXPECT_EQ(next, 1);
}

TEST(PoolBatchFailuresTest, AFailureCancelsTheOthersAndEndsTheSubmitting) {
    run_pool_test(a_failure_stops_the_siblings());
}

task<> the_first_in_time_is_rethrown() {
    pool p(sized(3, 0));
    journal j;
    const std::string how = co_await ending_of(run_three_fails(p, j, 23, 13, 33));
    EXPECT_EQ(how, "failed 13");
    EXPECT_THAT(j.stopped, ElementsAre(23, 33));
}

TEST(PoolBatchFailuresTest, TheFirstErrorInTimeIsRethrown) {
    run_pool_test(the_first_in_time_is_rethrown());
}

task<> a_failure_after_values() {
    pool p(sized(1, 5));
    journal j;
    const std::string how = co_await ending_of(run_three_fails(p, j, 1, 2, 3, 4));
    EXPECT_EQ(how, "failed 3");
    EXPECT_THAT(j.ended, ElementsAre(1, 2));
    EXPECT_THAT(j.begun, ElementsAre(1, 2, 3));
    EXPECT_EQ(p.stats().completed, 2U);
    EXPECT_EQ(p.stats().canceled, 1U);
}

TEST(PoolBatchFailuresTest, WhatIsQueuedBehindAFailureNeverRuns) {
    run_pool_test(a_failure_after_values());
}

int fails_at_once(int value) {
    if (value == 2) {
        throw std::runtime_error("at once");
    }
    return value;
}

task<std::vector<int>> run_plain(pool& p, int count, int& produced) {
    auto values = std::views::iota(0, count) | std::views::transform([&produced](int value) {
                      ++produced;
                      return value;
                  });
    co_return co_await p.batch_run(fails_at_once, values);
}

task<> a_failure_during_the_submitting_ends_it() {
    pool p(sized(1, 0));
    int produced = 0;
    const std::string how = co_await ending_of(run_plain(p, 100, produced));
    EXPECT_EQ(how, "at once");
    EXPECT_EQ(produced, 3);
    EXPECT_EQ(p.stats().completed, 2U);
}

TEST(PoolBatchFailuresTest, NoElementIsTakenAfterAFailure) {
    run_pool_test(a_failure_during_the_submitting_ends_it());
}

task<int> throwing_range_job(int value) {
    co_await settle();
    co_return value;
}

task<std::vector<int>> run_throwing_range(pool& p) {
    auto values = std::views::iota(0, 5) | std::views::transform([](int value) {
                      return value < 2 ? value : throw std::runtime_error("the range throws");
                  });
    co_return co_await p.batch_run(throwing_range_job, values);
}

task<> a_range_may_throw() {
    pool p(sized(3, 3));
    const std::string how = co_await ending_of(run_throwing_range(p));
    EXPECT_EQ(how, "the range throws");
    EXPECT_EQ(p.stats().canceled, 2U);
    EXPECT_EQ(p.stats().running, 0U);
}

TEST(PoolBatchFailuresTest, ARangeThatThrowsCancelsWhatItGave) {
    run_pool_test(a_range_may_throw());
}

task<std::vector<int>> run_gated(pool& p, gated& at, int count) {
    auto call = [&at](int value) { return gated_job(at, value); };
    co_return co_await p.batch_run(call, std::views::iota(0, count));
}

// Stops a batch of `count` jobs on a pool of two slots and one place.
task<> a_stop_of_the_caller_ends_the_batch(int count) {
    pool p(sized(2, 1));
    gated at;
    stop_source source;
    std::string how;
    scope s;
    s.spawn(keep_ending(ending_of(with_stop(source, run_gated(p, at, count))), how));
    co_await settle();
    EXPECT_EQ(how, "pending");
    source.request_stop();
    co_await s.join();
    EXPECT_EQ(how, "canceled");
    EXPECT_EQ(at.ended, 0);
    EXPECT_EQ(at.begun, std::min(count, 2));
    EXPECT_EQ(p.stats().running + p.stats().queued + p.stats().parked, 0U);
    EXPECT_EQ(p.stats().canceled, static_cast<std::uint64_t>(std::min(count, 3)));
}

TEST(PoolBatchFailuresTest, AStopOfTheCallerCancelsTheBatch) {
    for (const int count : {1, 2, 3, 5}) {
        run_pool_test(a_stop_of_the_caller_ends_the_batch(count));
    }
}

task<> a_batch_waits_for_stubborn_jobs(pool& p, test::door& at) {
    auto call = [&at](int value) { return test::stubborn_job(at, value); };
    co_await p.batch_run(call, std::views::iota(0, 2));
}

task<> a_stopped_batch_joins_its_jobs() {
    pool p(sized(2, 0));
    test::door at;
    stop_source source;
    std::string how;
    scope s;
    s.spawn(keep_ending(ending_of(with_stop(source, a_batch_waits_for_stubborn_jobs(p, at))), how));
    co_await settle();
    source.request_stop();
    co_await settle();
    EXPECT_EQ(how, "pending");
    EXPECT_EQ(p.stats().running, 2U);
    at.open();
    co_await s.join();
    EXPECT_EQ(how, "canceled");
}

TEST(PoolBatchFailuresTest, AStoppedBatchEndsWhenItsJobsHaveEnded) {
    run_pool_test(a_stopped_batch_joins_its_jobs());
}

task<> closing_ends_a_batch() {
    pool p(sized(1, 1));
    gated at;
    std::string how;
    scope s;
    s.spawn(keep_ending(ending_of(run_gated(p, at, 5)), how));
    co_await settle();
    p.close();
    co_await s.join();
    EXPECT_EQ(how, "closed");
    EXPECT_EQ(at.ended, 0);
    EXPECT_EQ(p.stats().canceled, 2U);
    const std::string later = co_await ending_of(run_gated(p, at, 5));
    EXPECT_EQ(later, "closed");
}

TEST(PoolBatchFailuresTest, ABatchOnAPoolThatClosesFailsWithClosed) {
    run_pool_test(closing_ends_a_batch());
}

task<> submit_many(pool& p, gated& at, std::size_t& handles) {
    auto call = [&at](int value) { return gated_job(at, value); };
    handles = (co_await p.batch_submit(call, std::views::iota(0, 5))).size();
}

task<> a_batch_submit_that_fails_detaches() {
    pool p(sized(1, 1));
    gated at;
    std::size_t handles = 0;
    std::string how;
    scope s;
    s.spawn(keep_ending(ending_of(submit_many(p, at, handles)), how));
    co_await settle();
    p.close();
    co_await s.join();
    EXPECT_EQ(how, "closed");
    EXPECT_EQ(handles, 0U);
    at.go.set();
    co_await p.drain();
    EXPECT_EQ(at.ended, 2) << "what was admitted runs on";
}

TEST(PoolBatchFailuresTest, ABatchSubmitThatFailsLeavesWhatItSubmitted) {
    run_pool_test(a_batch_submit_that_fails_detaches());
}

task<> a_timeout_stops_a_batch() {
    pool p(sized(1, 1));
    journal j;
    const std::string how = co_await ending_of(
        with_timeout(std::chrono::milliseconds(1500), run_three_fails(p, j, 1, 2, 4, 5)));
    EXPECT_EQ(how, "timed out");
    EXPECT_THAT(j.ended, ElementsAre(1));
    EXPECT_THAT(j.stopped, ElementsAre(2));
    EXPECT_EQ(p.stats().running, 0U);
}

TEST(PoolBatchFailuresTest, ATimeoutAroundABatchCancelsIt) {
    run_pool_test(a_timeout_stops_a_batch());
}

}  // namespace
}  // namespace weir
