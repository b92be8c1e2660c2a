// blocking() by several loops at once, and at the edges of their lives.
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <latch>
#include <thread>
#include <vector>

#include <weir/runtime/latch.hpp>
#include <weir/runtime/thread/blocking.hpp>
#include <weir/runtime/yield.hpp>

#include "support/held_call.hpp"
#include "support/run_test.hpp"

namespace weir {
namespace {

[[nodiscard]] offload_options sized(std::size_t threads, std::size_t queue = 1024) {
    offload_options options;
    options.threads_max = threads;
    options.queue_max = queue;
    return options;
}

int twice(int number) { return 2 * number; }

// ref: all outlive the task.
task<> note_in(offload_pool& pool, std::vector<int>& log, int number) {
    const auto note = [](std::vector<int>& into, int value) { into.push_back(value); };
    co_await blocking(pool, note, std::ref(log), number);
}

// On the loop of another thread: a call that waits for the pool's thread.
task<> wait_elsewhere(offload_pool& pool, std::vector<int>& log, std::latch& waits) {
    scope s;
    s.spawn(note_in(pool, log, 1));
    co_await test::settle();
    waits.count_down();
    co_await s.join();
}

task<> order_across_loops(std::vector<int>& log) {
    offload_pool pool(sized(1));
    test::held_call first;
    scope s;
    s.spawn([](offload_pool& p, test::held_call& call) -> task<> {
        static_cast<void>(co_await blocking(p, test::hold, std::ref(call), 0));
    }(pool, first));
    co_await first.begun().wait();
    std::latch waits(1);
    const std::jthread other([&] { test::run_test(wait_elsewhere(pool, log, waits)); });
    waits.wait();
    EXPECT_EQ(pool.stats().queued, 1U);
    s.spawn(note_in(pool, log, 2));
    co_await test::settle();
    EXPECT_EQ(pool.stats().queued, 2U);
    first.let_go();
    co_await s.join();
}

TEST(BlockingThreadsTest, CallsOfSeveralLoopsBeginInTheOrderOfTheirAwaits) {
    std::vector<int> log;
    test::run_test(order_across_loops(log));
    EXPECT_EQ(log, (std::vector<int>{1, 2}));
}

// ref: both outlive the task.
task<> call_often(offload_pool& pool, std::atomic<int>& sum, int calls) {
    for (int number = 1; number <= calls; ++number) {
        sum += co_await blocking(pool, twice, number);
    }
}

task<> call_from_tasks(offload_pool& pool, std::atomic<int>& sum, int tasks, int calls) {
    scope s;
    for (int number = 0; number < tasks; ++number) {
        s.spawn(call_often(pool, sum, calls));
    }
    co_await s.join();
}

TEST(BlockingThreadsTest, ManyLoopsShareAPoolAndNothingIsLost) {
    for (const std::size_t threads : {1U, 2U, 3U}) {
        offload_pool pool(sized(threads, threads));
        std::atomic<int> sum{0};
        // The thread sanitizer does not see liburing give memory back, and would take the ring that
        // comes to its place, in another thread, for a race.
        std::latch made(3);
        {
            std::vector<std::jthread> loops;
            for (int loop = 0; loop < 3; ++loop) {
                loops.emplace_back([&] {
                    event_loop own;
                    made.arrive_and_wait();
                    own.run(call_from_tasks(pool, sum, 5, 20));
                });
            }
        }
        EXPECT_EQ(sum, 3 * 5 * 2 * (20 * 21 / 2));
        EXPECT_LE(pool.stats().threads, threads);
        EXPECT_EQ(pool.stats().busy, 0U);
    }
}

task<> call_once(offload_pool& pool) { EXPECT_EQ(co_await blocking(pool, twice, 4), 8); }

// The task goes on, and its loop ends, while the thread may still be on its way out of the post.
TEST(BlockingThreadsTest, ALoopMayEndAsSoonAsItsLastCallHas) {
    offload_pool pool(sized(2));
    for (int round = 0; round < 200; ++round) {
        event_loop loop;
        loop.run(call_once(pool));
    }
}

TEST(BlockingThreadsTest, APoolMayEndAsSoonAsItsLastCallHas) {
    event_loop loop;
    for (int round = 0; round < 200; ++round) {
        offload_pool pool(sized(2));
        loop.run(call_once(pool));
    }
}

// ref: both outlive the task.
task<> call_until_stopped(offload_pool& pool, latch& ended) {
    try {
        while (true) {
            static_cast<void>(co_await blocking(pool, twice, 1));
        }
    } catch (const canceled&) {
        ended.count_down();
    }
}

task<> stop_at_any_time() {
    offload_pool pool(sized(2));
    for (int round = 0; round < 100; ++round) {
        stop_source source;
        constexpr std::size_t tasks = 4;
        latch ended(tasks);
        scope s;
        for (std::size_t number = 0; number < tasks; ++number) {
            s.spawn(with_stop(source, call_until_stopped(pool, ended)));
        }
        for (int turn = 0; turn < round; ++turn) {
            co_await yield();
        }
        source.request_stop();
        co_await ended.wait();
        co_await s.join();
    }
    EXPECT_EQ(pool.stats().queued + pool.stats().parked, 0U);
}

TEST(BlockingThreadsTest, AStopMayComeAtAnyTime) {
    event_loop loop;
    loop.run(stop_at_any_time());
}

}  // namespace
}  // namespace weir
