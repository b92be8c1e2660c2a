// The counts of a pool add up, at every moment.
#include <gtest/gtest.h>

#include <chrono>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include <weir/pool/pool.hpp>
#include <weir/runtime/sleep.hpp>
#include <weir/runtime/stop.hpp>

#include "support/pool_test.hpp"

namespace weir {
namespace {

using namespace std::chrono_literals;
using test::ending_of;
using test::gated;
using test::gated_job;
using test::run_pool_test;
using test::settle;
using test::sized;
using test::value_job;

void expect_sum(const pool_stats& stats) {
    EXPECT_EQ(stats.submitted, stats.completed + stats.failed + stats.canceled + stats.expired +
                                   stats.running + stats.queued);
    EXPECT_LE(stats.running, stats.max_running);
    EXPECT_LE(stats.queued, stats.max_queued);
    EXPECT_LE(stats.started, stats.submitted);
}

task<> each_count_counts() {
    pool p(sized(1, 1));
    gated at;
    const pool_stats before = p.stats();
    EXPECT_EQ(before.max_concurrency, 1U);
    EXPECT_EQ(before.max_queue_size, 1U);
    EXPECT_EQ(before.submitted + before.running + before.queued + before.parked, 0U);
    auto running = co_await p.submit(gated_job, std::ref(at), 1);
    auto queued = co_await p.submit(gated_job, std::ref(at), 2);
    EXPECT_FALSE(p.try_submit(value_job, 3).has_value());
    std::string parked;
    scope s;
    s.spawn(test::keep_ending(ending_of(test::posted(p, gated_job, std::ref(at), 4)), parked));
    co_await settle();
    const pool_stats full = p.stats();
    EXPECT_EQ(full.submitted, 2U);
    EXPECT_EQ(full.started, 1U);
    EXPECT_EQ(full.running, 1U);
    EXPECT_EQ(full.queued, 1U);
    EXPECT_EQ(full.parked, 1U);
    EXPECT_EQ(full.rejected, 1U);
    at.go.set();
    co_await s.join();
    co_await p.drain();
    const pool_stats after = p.stats();
    EXPECT_EQ(after.submitted, 3U);
    EXPECT_EQ(after.started, 3U);
    EXPECT_EQ(after.completed, 3U);
    EXPECT_EQ(after.running + after.queued + after.parked, 0U);
    EXPECT_EQ(after.max_running, 1U);
    EXPECT_EQ(after.max_queued, 1U);
}

TEST(PoolStatsOfPoolTest, EachCountsWhatItSays) { run_pool_test(each_count_counts()); }

// Ends in one of many ways.
task<int> mixed_job(unsigned kind, unsigned length) {
    if (kind % 3 != 0) {
        co_await sleep_for(duration(length));
    }
    if (kind % 5 == 0) {
        throw std::runtime_error("failed");
    }
    co_return 1;
}

submit_options mixed_options(std::mt19937& rng) {
    submit_options options;
    if (rng() % 4 == 0) {
        options.start_within(duration(rng() % 20));
    }
    if (rng() % 4 == 0) {
        options.finish_within(duration(rng() % 30));
    }
    if (rng() % 4 == 0) {
        options.admit_within(duration(rng() % 20));
    }
    return options;
}

unsigned drawn(std::mt19937& rng, unsigned end) { return static_cast<unsigned>(rng() % end); }

task<> submit_mixed(pool& p, std::mt19937& rng, int count) {
    std::vector<join_handle<int>> handles;
    for (int job = 0; job < count; ++job) {
        const submit_options options = mixed_options(rng);
        const unsigned kind = drawn(rng, 30);
        const unsigned length = drawn(rng, 20);
        try {
            if (kind % 2 == 0) {
                handles.push_back(co_await p.submit(options, mixed_job, kind, length));
            } else {
                co_await p.post(options, mixed_job, kind, length);
            }
        } catch (const pool_error&) {
            EXPECT_GT(p.stats().rejected, 0U);
        }
        if (!handles.empty() && kind % 7 == 0) {
            handles[rng() % handles.size()].cancel();
        }
        expect_sum(p.stats());
        if (kind % 6 == 0) {
            co_await sleep_for(duration(kind));
        }
    }
}

void ignore_error(const std::exception_ptr&, const job_info&, void*) {}

task<> mixed_load(std::size_t concurrency, std::size_t queue, pool_stats& stats) {
    pool_options options = sized(concurrency, queue);
    options.on_error = &ignore_error;
    pool p(options);
    std::mt19937 rng(7);
    scope s;
    for (int submitter = 0; submitter < 3; ++submitter) {
        s.spawn(submit_mixed(p, rng, 60));
    }
    for (int look = 0; look < 200; ++look) {
        expect_sum(p.stats());
        EXPECT_LE(p.stats().running, concurrency);
        EXPECT_LE(p.stats().queued, queue);
        co_await settle();
    }
    co_await s.join();
    co_await p.drain();
    stats = p.stats();
    expect_sum(stats);
    EXPECT_EQ(stats.running + stats.queued, 0U);
    EXPECT_EQ(stats.submitted + stats.rejected, 180U);
    EXPECT_GT(stats.completed, 0U);
    EXPECT_GT(stats.failed, 0U);
}

TEST(PoolStatsOfPoolTest, SumsHoldUnderAMixedLoad) {
    std::uint64_t canceled_jobs = 0;
    std::uint64_t expired_jobs = 0;
    for (const std::size_t concurrency : {1U, 2U, 3U}) {
        for (const std::size_t queue : {0U, 1U, 2U, 5U}) {
            SCOPED_TRACE(std::to_string(concurrency) + " slots, queue " + std::to_string(queue));
            pool_stats stats;
            run_pool_test(mixed_load(concurrency, queue, stats));
            canceled_jobs += stats.canceled;
            expired_jobs += stats.expired;
        }
    }
    EXPECT_GT(canceled_jobs, 0U);
    EXPECT_GT(expired_jobs, 0U);
}

}  // namespace
}  // namespace weir
