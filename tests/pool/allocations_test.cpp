// What a warm pool allocates: nothing. And what becomes of a submission when an allocation fails.
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <future>
#include <memory>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include <weir/pool/pool.hpp>
#include <weir/runtime/sleep.hpp>
#include <weir/runtime/yield.hpp>

#include "support/allocations.hpp"
#include "support/failing_allocations.hpp"
#include "support/pool_test.hpp"
#include "support/sanitizers.hpp"

namespace weir {
namespace {

using test::gated;
using test::gated_job;
using test::run_pool_test;
using test::settle;
using test::sized;
using test::value_job;

task<> ends_at_once() { co_return; }
task<> ends_later() { co_await yield(); }
task<> sleeps() { co_await sleep_for(std::chrono::milliseconds(1)); }

// Does everything once to warm up, and then counts.
template <class Work>
task<std::size_t> allocations_when_warm(pool& p, Work work) {
    for (int warming = 0; warming < 3; ++warming) {
        co_await work(p);
        co_await settle();
    }
    const test::allocation_counter counter;
    co_await work(p);
    co_await settle();
    co_return counter.allocations();
}

template <class Work>
void expect_no_allocations(Work work) {
    for (const std::size_t concurrency : {1U, 3U, 50U}) {
        for (const std::size_t queue : {0U, 1U, 20U}) {
            SCOPED_TRACE(std::to_string(concurrency) + " slots, queue " + std::to_string(queue));
            test::virtual_loop loop;
            pool p(loop.loop(), sized(concurrency, queue));
            EXPECT_EQ(loop.run(allocations_when_warm(p, work)), 0U);
            loop.run(p.drain());
        }
    }
}

task<> posts(pool& p) {
    for (int count = 0; count < 200; ++count) {
        co_await p.post(ends_at_once);
        co_await p.post(ends_later);
        co_await p.post(sleeps);
    }
}

TEST(PoolAllocationsTest, AWarmPoolPostsWithoutAllocating) { expect_no_allocations(posts); }

task<> submits(pool& p) {
    std::array<join_handle<>, 16> handles;
    for (std::size_t count = 0; count < 200; ++count) {
        handles[count % 16] = co_await p.submit(count % 2 == 0 ? ends_later : sleeps);
    }
    for (join_handle<>& handle : handles) {
        if (handle.valid()) {
            co_await handle.join();
        }
    }
}

TEST(PoolAllocationsTest, AWarmPoolSubmitsWithoutAllocating) { expect_no_allocations(submits); }

task<> runs(pool& p) {
    for (int count = 0; count < 200; ++count) {
        const int value = co_await p.run(value_job, count);
        EXPECT_EQ(value, count);
        co_await p.run(sleeps);
    }
}

TEST(PoolAllocationsTest, AWarmPoolRunsWithoutAllocating) { expect_no_allocations(runs); }

task<> tries(pool& p) {
    for (int count = 0; count < 200; ++count) {
        static_cast<void>(p.try_submit(ends_later));
        static_cast<void>(p.try_submit(ends_at_once));
        co_await yield();
    }
}

TEST(PoolAllocationsTest, AWarmPoolTriesWithoutAllocating) { expect_no_allocations(tries); }

task<int> nests(pool& p, int depth) {
    if (depth == 0) {
        co_return 1;
    }
    auto handle = co_await p.submit(nests, std::ref(p), depth - 1);
    co_await p.post(ends_later);
    const int inner = co_await p.run(nests, std::ref(p), depth - 1);
    co_return inner + co_await handle.join();
}

task<> nested(pool& p) {
    const int leaves = co_await p.run(nests, std::ref(p), 4);
    EXPECT_EQ(leaves, 16);
}

TEST(PoolAllocationsTest, AWarmPoolNestsWithoutAllocating) { expect_no_allocations(nested); }

task<> cancels(pool& p) {
    for (int count = 0; count < 50; ++count) {
        auto handle = co_await p.submit(sleeps);
        handle.cancel();
        co_await handle.ended();
    }
}

TEST(PoolAllocationsTest, CancelingAllocatesOnlyTheException) {
    test::virtual_loop loop;
    pool p(loop.loop(), sized(1, 5));
    loop.run(cancels(p));
    const frame_cache_stats before = frame_cache_statistics();
    loop.run(cancels(p));
    EXPECT_EQ(frame_cache_statistics().heap_allocations, before.heap_allocations);
    loop.run(p.drain());
}

constexpr int many = test::sanitized ? 100'000 : 1'000'000;

task<> count_up(int& ended) {
    ++ended;
    co_return;
}

task<> a_million_posts() {
    pool p(sized(10, 100));
    int ended = 0;
    constexpr int warming = 10'000;
    for (int count = 0; count < warming; ++count) {
        co_await p.post(count_up, std::ref(ended));
    }
    const test::allocation_counter counter;
    for (int count = warming; count < many; ++count) {
        co_await p.post(count_up, std::ref(ended));
    }
    EXPECT_EQ(counter.allocations(), 0U);
    co_await p.drain();
    EXPECT_EQ(ended, many);
    EXPECT_EQ(p.stats().completed, static_cast<std::uint64_t>(many));
}

TEST(PoolAllocationsTest, AMillionPostsNeedNeitherMemoryNorStack) {
    run_pool_test(a_million_posts());
}

task<> a_million_runs() {
    pool p(sized(2, 2));
    long sum = 0;
    for (int count = 0; count < many; ++count) {
        sum += co_await p.run(value_job, 1);
    }
    EXPECT_EQ(sum, many);
}

TEST(PoolAllocationsTest, AMillionRunsDoNotGrowTheStack) { run_pool_test(a_million_runs()); }

task<> host_of_many(pool& p, long& sum) {
    for (int count = 0; count < many; ++count) {
        sum += co_await p.run(value_job, 1);
        co_await p.post(ends_at_once);
    }
}

task<> a_million_nested() {
    pool p(sized(1, 0));
    long sum = 0;
    co_await p.run(host_of_many, std::ref(p), std::ref(sum));
    EXPECT_EQ(sum, many);
}

TEST(PoolAllocationsTest, AMillionNestedRunsDoNotGrowTheStack) {
    run_pool_test(a_million_nested());
}

task<std::array<char, 400>> large_result() { co_return std::array<char, 400>(); }

task<> memory_follows_bounds() {
    pool p(sized(4, 16));
    const test::allocation_counter posting;
    for (int count = 0; count < 20'000; ++count) {
        co_await p.post(ends_later);
    }
    const std::size_t posted = posting.bytes();
    const test::allocation_counter keeping;
    std::vector<join_handle<std::array<char, 400>>> handles;
    handles.reserve(2'000);
    for (int count = 0; count < 2'000; ++count) {
        handles.push_back(co_await p.submit(large_result));
    }
    EXPECT_LT(posted, 64U * 1024U) << "posted jobs leave nothing behind";
    EXPECT_GT(keeping.bytes(), 2'000U * 400U) << "kept handles keep their results";
    for (auto& handle : handles) {
        static_cast<void>(co_await handle.join());
    }
    co_await p.drain();
}

TEST(PoolAllocationsTest, PostedJobsNeedTheMemoryOfTheBoundsKeptHandlesThatOfTheirResults) {
    run_pool_test(memory_follows_bounds());
}

}  // namespace
}  // namespace weir
