// pool::resize: up, down, to nothing and back, while jobs run and wait.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <vector>

#include <weir/pool/pool.hpp>

#include "support/pool_test.hpp"

namespace weir {
namespace {

using test::gated;
using test::gated_job;
using test::run_pool_test;
using test::settle;
using test::sized;
using test::value_job;
using testing::ElementsAre;

task<> post_and_count(pool& p, gated& at, int value, int& passed) {
    co_await p.post(gated_job, std::ref(at), value);
    ++passed;
}

task<> up_starts_what_waits() {
    pool p(sized(1, 2));
    gated at;
    int passed = 0;
    scope s;
    for (int value = 1; value <= 5; ++value) {
        s.spawn(post_and_count(p, at, value, passed));
    }
    co_await settle();
    EXPECT_EQ(at.begun, 1);
    EXPECT_EQ(passed, 3);
    p.resize(2);
    EXPECT_EQ(p.stats().running, 2U);
    EXPECT_EQ(p.stats().parked, 1U);
    co_await settle();
    EXPECT_EQ(at.begun, 2);
    EXPECT_EQ(passed, 4);
    p.resize(5);
    co_await s.join();
    co_await settle();
    EXPECT_THAT(at.order, ElementsAre(1, 2, 3, 4, 5));
    EXPECT_EQ(p.stats().max_concurrency, 5U);
    at.go.set();
    co_await p.drain();
}

TEST(PoolResizeTest, UpStartsAtOnceWhatWaitsInOrder) { run_pool_test(up_starts_what_waits()); }

task<> down_lets_running_jobs_end() {
    pool p(sized(3, 5));
    gated ending[3];
    gated later;
    for (gated& at : ending) {
        co_await p.post(gated_job, std::ref(at), 1);
    }
    for (int value = 1; value <= 3; ++value) {
        co_await p.post(gated_job, std::ref(later), value);
    }
    p.resize(1);
    EXPECT_EQ(p.stats().running, 3U);
    ending[0].go.set();
    ending[1].go.set();
    co_await settle();
    EXPECT_EQ(p.stats().running, 1U);
    EXPECT_EQ(later.begun, 0);
    ending[2].go.set();
    co_await settle();
    EXPECT_EQ(p.stats().running, 1U);
    EXPECT_EQ(later.begun, 1);
    later.go.set();
    co_await p.drain();
    EXPECT_THAT(later.order, ElementsAre(1, 2, 3));
}

TEST(PoolResizeTest, DownWaitsForTheEndOfWhatRuns) { run_pool_test(down_lets_running_jobs_end()); }

task<> zero_pauses() {
    pool p(sized(2, 2));
    gated at;
    int passed = 0;
    p.resize(0);
    scope s;
    for (int value = 1; value <= 4; ++value) {
        s.spawn(post_and_count(p, at, value, passed));
    }
    co_await settle();
    EXPECT_EQ(at.begun, 0);
    EXPECT_EQ(passed, 2);
    EXPECT_EQ(p.stats().queued, 2U);
    EXPECT_EQ(p.stats().parked, 2U);
    const auto refused = p.try_submit(gated_job, std::ref(at), 5);
    EXPECT_EQ(refused.error(), pool_errc::full);
    p.resize(1);
    co_await settle();
    EXPECT_EQ(at.begun, 1);
    at.go.set();
    co_await s.join();
    co_await p.drain();
    EXPECT_THAT(at.order, ElementsAre(1, 2, 3, 4));
}

TEST(PoolResizeTest, ZeroPauses) { run_pool_test(zero_pauses()); }

task<> a_paused_rendezvous_parks() {
    pool p(sized(1, 0));
    gated at;
    int passed = 0;
    p.resize(0);
    scope s;
    s.spawn(post_and_count(p, at, 1, passed));
    co_await settle();
    EXPECT_EQ(passed, 0);
    p.resize(1);
    co_await settle();
    EXPECT_EQ(passed, 1);
    EXPECT_EQ(at.begun, 1);
    at.go.set();
    co_await s.join();
    co_await p.drain();
}

TEST(PoolResizeTest, APausedPoolWithoutAQueueParksItsSubmitters) {
    run_pool_test(a_paused_rendezvous_parks());
}

task<> a_paused_pool_keeps_what_runs() {
    pool p(sized(1, 1));
    gated running;
    gated queued;
    auto first = co_await p.submit(gated_job, std::ref(running), 1);
    auto second = co_await p.submit(gated_job, std::ref(queued), 2);
    p.resize(0);
    running.go.set();
    const int value = co_await first.join();
    EXPECT_EQ(value, 1);
    co_await settle();
    EXPECT_EQ(queued.begun, 0);
    EXPECT_FALSE(second.done());
    queued.go.set();
    p.resize(3);
    const int last = co_await second.join();
    EXPECT_EQ(last, 2);
}

TEST(PoolResizeTest, APauseLetsWhatRunsEndAndStartsNothing) {
    run_pool_test(a_paused_pool_keeps_what_runs());
}

task<int> resizing_job(pool& p, std::size_t to) {
    p.resize(to);
    co_return static_cast<int>(to);
}

task<> a_job_may_resize_its_pool() {
    pool p(sized(1, 3));
    auto pausing = co_await p.submit(resizing_job, std::ref(p), std::size_t{0});
    auto waiting = co_await p.submit(value_job, 1);
    co_await settle();
    EXPECT_TRUE(pausing.done());
    EXPECT_FALSE(waiting.done());
    p.resize(2);
    const int value = co_await waiting.join();
    EXPECT_EQ(value, 1);
    co_await pausing.join();
}

TEST(PoolResizeTest, AJobMayResizeItsOwnPool) { run_pool_test(a_job_may_resize_its_pool()); }

task<> many_sizes_lose_nothing() {
    pool p(sized(1, 2));
    gated at;
    at.go.set();
    int passed = 0;
    scope s;
    for (int value = 0; value < 60; ++value) {
        s.spawn(post_and_count(p, at, value, passed));
    }
    for (const std::size_t size : {3U, 0U, 1U, 2U, 0U, 0U, 3U, 1U, 0U, 2U}) {
        p.resize(size);
        EXPECT_LE(p.stats().queued, 2U);
        co_await settle();
    }
    co_await s.join();
    co_await p.drain();
    EXPECT_EQ(passed, 60);
    EXPECT_EQ(at.ended, 60);
    EXPECT_LE(p.stats().max_running, 3U);
}

TEST(PoolResizeTest, NothingIsLostOverManySizes) { run_pool_test(many_sizes_lose_nothing()); }

TEST(PoolResizeTest, RefusesMoreThanTheLargestPool) {
    test::virtual_loop loop;
    pool p(loop.loop(), sized(1, 1));
    EXPECT_THROW(p.resize(16'777'217), std::invalid_argument);
    EXPECT_EQ(p.stats().max_concurrency, 1U);
    p.resize(16'777'216);
    EXPECT_EQ(p.stats().max_concurrency, 16'777'216U);
}

}  // namespace
}  // namespace weir
