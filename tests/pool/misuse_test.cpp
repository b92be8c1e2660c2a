// Misuse that ends the process, with a message that says what was wrong.
#include <gtest/gtest.h>

#include <utility>

#include <weir/pool/pool.hpp>

#include "support/pool_test.hpp"

namespace weir {
namespace {

using test::gated;
using test::gated_job;
using test::run_pool_test;
using test::settle;
using test::sized;

task<> destroy_a_busy_pool() {
    gated at;
    std::string how;
    scope s;
    {
        pool_options options = sized(2, 1);
        options.name = "downloads";
        pool p(options);
        for (int value = 1; value <= 3; ++value) {
            co_await p.post(gated_job, std::ref(at), value);
        }
        s.spawn(
            test::keep_ending(test::ending_of(test::posted(p, gated_job, std::ref(at), 4)), how));
        co_await settle();
    }
    co_await s.join();
}

TEST(PoolDeathTest, DestroyingABusyPoolNamesItAndItsCounts) {
    EXPECT_DEATH(run_pool_test(destroy_a_busy_pool()),
                 "weir: pool \"downloads\" was destroyed while busy: 2 running, 1 queued, "
                 "1 parked, 0 on their way from threads; co_await drain\\(\\) or stop\\(\\) first, "
                 "or use with_pool");
}

task<> destroy_a_paused_pool() {
    gated at;
    pool p(sized(1, 1));
    p.resize(0);
    co_await p.post(gated_job, std::ref(at), 1);
}

TEST(PoolDeathTest, APausedPoolWithAQueueIsBusy) {
    EXPECT_DEATH(run_pool_test(destroy_a_paused_pool()), "0 running, 1 queued, 0 parked");
}

task<> nothing_yet() { co_return; }

void destroy_with_a_job_on_its_way() {
    event_loop loop;
    loop.run(nothing_yet());
    pool p(loop, sized(1, 5));
    static_cast<void>(p.submit_from_thread(test::value_job, 1));
}

TEST(PoolDeathTest, AJobOnItsWayFromAThreadMakesAPoolBusy) {
    EXPECT_DEATH(destroy_with_a_job_on_its_way(),
                 "0 running, 0 queued, 0 parked, 1 on their way from threads");
}

task<> join_twice() {
    pool p(sized(1, 1));
    auto handle = co_await p.submit(test::value_job, 1);
    co_await handle.join();
    co_await handle.join();
}

TEST(PoolDeathTest, AHandleIsAwaitedOnce) {
    EXPECT_DEATH(run_pool_test(join_twice()), "a handle is awaited once");
}

task<> ended_of_nothing() {
    join_handle<int> empty;
    co_await empty.ended();
}

TEST(PoolDeathTest, AnEmptyHandleHasNoEndToWaitFor) {
    EXPECT_DEATH(run_pool_test(ended_of_nothing()), "a handle that has no job");
}

task<> two_joiners() {
    pool p(sized(1, 1));
    gated at;
    auto handle = co_await p.submit(gated_job, std::ref(at), 1);
    std::string first;
    std::string second;
    scope s;
    s.spawn(test::keep_ending(test::ending_of(handle), first));
    s.spawn(test::keep_ending(test::ending_of(handle), second));
    co_await s.join();
}

TEST(PoolDeathTest, TwoTasksCannotAwaitOneHandle) {
    EXPECT_DEATH(run_pool_test(two_joiners()), "one task at a time waits for a job");
}

task<int> nothing(int value) { co_return value; }

task<> submit_a_moved_task(bool post) {
    pool p(sized(1, 1));
    task<int> work = nothing(1);
    const task<int> elsewhere = std::move(work);
    if (post) {
        co_await p.post(std::move(work));
    } else {
        co_await p.run(std::move(work));
    }
}

TEST(PoolDeathTest, ATaskThatWasMovedFromCannotBeSubmitted) {
    EXPECT_DEATH(run_pool_test(submit_a_moved_task(false)),
                 "a job needs a task that was not moved from");
    EXPECT_DEATH(run_pool_test(submit_a_moved_task(true)),
                 "a job needs a task that was not moved from");
}

TEST(PoolDeathTest, APoolWithoutALoopIsMadeInsideARun) {
    EXPECT_DEATH(const pool p(sized(1, 1)), "a pool without a loop is made on the thread of a");
}

task<> drain_behind(pool& p) { co_await p.drain(); }

task<> destroy_under_a_drain() {
    gated at;
    scope s;
    auto p = std::make_unique<pool>(sized(1, 1));
    co_await p->post(gated_job, std::ref(at), 1);
    s.spawn(drain_behind(*p));
    co_await settle();
    p.reset();
    co_await s.join();
}

TEST(PoolDeathTest, APoolUnderADrainIsStillBusy) {
    EXPECT_DEATH(run_pool_test(destroy_under_a_drain()), "was destroyed while busy: 1 running");
}

}  // namespace
}  // namespace weir
