// Where pools of this kind are known to hang or to lose work: none of it happens here. Each hole
// has one test, so that this file can be read as a list; the other files go deeper.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <ranges>
#include <stdexcept>
#include <string>
#include <vector>

#include <weir/pool/pool.hpp>
#include <weir/pool/with_pool.hpp>
#include <weir/runtime/stop.hpp>

#include "support/allocations.hpp"
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

task<int> run_one(pool& p) { co_return co_await p.run(value_job, 1); }

task<> nested_run() {
    pool p(sized(1, 0));
    const int value = co_await p.run(run_one, std::ref(p));
    EXPECT_EQ(value, 1);
}

TEST(PoolHolesTest, NestedRunEndsAtConcurrencyOne) { run_pool_test(nested_run()); }

task<int> submit_three(pool& p) {
    auto first = co_await p.submit(value_job, 1);
    auto second = co_await p.submit(value_job, 2);
    auto third = co_await p.submit(value_job, 3);
    co_return co_await first.join() + co_await second.join() + co_await third.join();
}

task<> nested_submit() {
    pool p(sized(1, 1));
    auto outer = co_await p.submit(submit_three, std::ref(p));
    auto filler = co_await p.submit(value_job, 0);
    const int sum = co_await outer.join();
    EXPECT_EQ(sum, 6);
    co_await filler.join();
}

TEST(PoolHolesTest, NestedSubmitEndsOnAFullQueue) { run_pool_test(nested_submit()); }

task<> shutdown_before_use() {
    pool wide(sized(100, 1));
    co_await wide.drain();
    pool stopped(sized(100, 1));
    co_await stopped.stop();
}

TEST(PoolHolesTest, ShutdownBeforeTheFirstSubmitEnds) { run_pool_test(shutdown_before_use()); }

task<> shutdown_twice() {
    pool p(sized(2, 2));
    co_await p.run(value_job, 1);
    co_await p.drain();
    co_await p.drain();
    co_await p.stop();
}

TEST(PoolHolesTest, ASecondShutdownEnds) { run_pool_test(shutdown_twice()); }

task<std::string> shut_down_inside(pool& p) { co_return co_await ending_of(p.drain()); }

task<> shutdown_from_a_job() {
    pool p(sized(1, 1));
    const std::string how = co_await p.run(shut_down_inside, std::ref(p));
    EXPECT_EQ(how, "would_deadlock");
    co_await p.drain();
}

TEST(PoolHolesTest, ShutdownFromAJobIsRefused) { run_pool_test(shutdown_from_a_job()); }

TEST(PoolHolesTest, ConcurrencyZeroIsAnError) {
    test::virtual_loop loop;
    EXPECT_THROW(const pool p(loop.loop(), sized(0, 1)), std::invalid_argument);
}

task<> close_while_full() {
    pool p(sized(1, 1));
    gated at;
    co_await p.post(gated_job, std::ref(at), 1);
    co_await p.post(gated_job, std::ref(at), 2);
    p.close();
    EXPECT_EQ(p.stats().queued, 1U);
    at.go.set();
    co_await p.drain();
    EXPECT_EQ(at.ended, 2);
}

TEST(PoolHolesTest, ClosingDoesNotWaitForTheQueue) { run_pool_test(close_while_full()); }

task<int> throws_canceled() {
    co_await settle();
    throw canceled();
}

task<> canceled_from_a_body() {
    pool p(sized(1, 1));
    auto handle = co_await p.submit(throws_canceled);
    const std::string how = co_await ending_of(handle);
    EXPECT_EQ(how, "canceled");
    const int next = co_await p.run(value_job, 2);
    EXPECT_EQ(next, 2);
}

TEST(PoolHolesTest, AJobThatThrowsCanceledEndsAndKeepsItsSlotAlive) {
    run_pool_test(canceled_from_a_body());
}

task<> future_from_outside() {
    test::error_log log;
    pool p(log.options(1, 1));
    gated at;
    std::promise<int> promise;
    co_await p.submit_into(promise, gated_job, std::ref(at), 1);
    promise.set_value(9);
    at.go.set();
    const int next = co_await p.run(value_job, 2);
    EXPECT_EQ(next, 2);
    EXPECT_EQ(promise.get_future().get(), 9);
}

TEST(PoolHolesTest, APromiseThatIsSatisfiedElsewhereKillsNoSlot) {
    run_pool_test(future_from_outside());
}

task<> cancel_queued() {
    pool p(sized(1, 2));
    gated at;
    stop_source source;
    std::string how;
    scope s;
    co_await p.post(gated_job, std::ref(at), 1);
    auto queued = co_await p.submit(gated_job, std::ref(at), 2);
    s.spawn(
        keep_ending(ending_of(with_stop(source, test::ran(p, gated_job, std::ref(at), 3))), how));
    co_await settle();
    queued.cancel();
    source.request_stop();
    at.go.set();
    co_await s.join();
    co_await p.drain();
    EXPECT_EQ(how, "canceled");
    EXPECT_THAT(at.order, ElementsAre(1));
}

TEST(PoolHolesTest, WhatIsCanceledInTheQueueNeverRuns) { run_pool_test(cancel_queued()); }

task<> try_on_a_full_queue() {
    pool p(sized(1, 0));
    gated at;
    co_await p.post(gated_job, std::ref(at), 1);
    std::string argument = "still here";
    auto refused =
        p.try_submit([](const std::string& text) { return text.size(); }, std::move(argument));
    EXPECT_EQ(refused.error(), pool_errc::full);
    EXPECT_EQ(argument, "still here");
    at.go.set();
    co_await p.drain();
}

TEST(PoolHolesTest, ARefusedTryTakesNothing) { run_pool_test(try_on_a_full_queue()); }

task<int> nest_after(pool& p, gated& at) {
    co_await at.go.wait();
    co_return co_await p.run(value_job, 4);
}

task<> nested_during_shutdown() {
    pool p(sized(1, 1));
    gated at;
    std::string drained;
    scope s;
    auto handle = co_await p.submit(nest_after, std::ref(p), std::ref(at));
    s.spawn(keep_ending(ending_of(p.drain()), drained));
    co_await settle();
    at.go.set();
    co_await s.join();
    const int value = co_await handle.join();
    EXPECT_EQ(value, 4);
}

TEST(PoolHolesTest, JobsNestDuringShutdown) { run_pool_test(nested_during_shutdown()); }

int fails_on_one(int value) { return value != 1 ? value : throw std::runtime_error("one"); }

task<int> gated_or_failing(gated& at, int value) {
    if (value == 1) {
        co_return fails_on_one(value);
    }
    co_return co_await gated_job(at, value);
}

task<std::vector<int>> failing_batch(pool& p, gated& at) {
    auto call = [&at](int value) { return gated_or_failing(at, value); };
    co_return co_await p.batch_run(call, std::views::iota(0, 4));
}

task<> a_failing_batch() {
    pool p(sized(2, 2));
    gated at;
    const std::string how = co_await ending_of(failing_batch(p, at));
    EXPECT_EQ(how, "one");
    EXPECT_EQ(p.stats().running + p.stats().queued, 0U) << "no sibling is left";
    EXPECT_EQ(at.ended, 0);
}

TEST(PoolHolesTest, AFailingBatchLeavesNoSiblingRunning) { run_pool_test(a_failing_batch()); }

task<> fill_and_throw(pool& p, gated& at) {
    for (int value = 1; value <= 3; ++value) {
        co_await p.post(gated_job, std::ref(at), value);
    }
    throw std::runtime_error("inside");
}

task<> exception_inside() {
    gated at;
    const std::string how =
        co_await ending_of(with_pool(sized(1, 2), fill_and_throw, std::ref(at)));
    EXPECT_EQ(how, "inside");
    EXPECT_EQ(at.begun, 1) << "the backlog does not run";
}

TEST(PoolHolesTest, AnExceptionInsideWithPoolDropsTheBacklog) { run_pool_test(exception_inside()); }

task<> constant_memory() {
    pool p(sized(10, 100));
    for (int warming = 0; warming < 1000; ++warming) {
        co_await p.post(value_job, warming);
    }
    const test::allocation_counter counter;
    for (int count = 0; count < 100'000; ++count) {
        co_await p.post(value_job, count);
    }
    EXPECT_EQ(counter.bytes(), 0U);
    co_await p.drain();
}

TEST(PoolHolesTest, PostedJobsNeedConstantMemory) { run_pool_test(constant_memory()); }

}  // namespace
}  // namespace weir
