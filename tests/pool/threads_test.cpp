// Jobs from other threads: results, backpressure, refusals. On the real clock, for threads take
// their own time; nothing here depends on how long anything takes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <expected>
#include <future>
#include <latch>
#include <memory>
#include <semaphore>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <weir/pool/pool.hpp>
#include <weir/runtime/yield.hpp>

#include "support/pool_test.hpp"
#include "support/sanitizers.hpp"

namespace weir {
namespace {

using namespace std::chrono_literals;
using test::gated;
using test::gated_job;
using test::sized;
using test::value_job;

// ref: the flag lives in the test, which waits for this task.
task<> until_set(std::atomic<bool>& done) {
    while (!done.load()) {
        co_await yield();
    }
}
template <class T>
task<> until_ready(std::future<T>& future) {
    while (future.wait_for(0s) != std::future_status::ready) {
        co_await yield();
    }
}
task<> until_both(std::future<int>& first, std::future<int>& second) {
    co_await until_ready(first);
    co_await until_ready(second);
}

// A hang ends after a minute, and fails.
void run_threaded(task<> main) {
    event_loop loop;
    loop.run(with_timeout(1min, std::move(main)));
}

template <class T>
std::string ending_of_future(std::future<T> future) {
    try {
        static_cast<void>(future.get());
    } catch (...) {
        return test::in_words(std::current_exception());
    }
    return "value";
}

// Starts `function` on a thread, runs the loop until it has returned, and joins it.
template <class F>
task<> beside(F function) {
    std::atomic<bool> done{false};
    std::jthread thread([&function, &done] {
        function();
        done.store(true);
    });
    co_await until_set(done);
}

task<> results_come_back() {
    pool p(sized(2, 2));
    auto calls = [&p] {
        EXPECT_EQ(p.submit_from_thread(value_job, 1).get(), 1);
        std::future<void> nothing = p.submit_from_thread([] {});
        nothing.get();
        auto box = p.submit_from_thread([](int x) { return std::make_unique<int>(x); }, 5);
        EXPECT_EQ(*box.get(), 5);
        auto moved = std::make_unique<int>(6);
        auto read =
            p.submit_from_thread([](std::unique_ptr<int> in) { return *in; }, std::move(moved));
        EXPECT_EQ(read.get(), 6);
    };
    co_await beside(calls);
    co_await p.drain();
    EXPECT_EQ(p.stats().completed, 4U);
}

TEST(PoolThreadsTest, ResultsComeBackThroughAFuture) { run_threaded(results_come_back()); }

int throws_number() { throw 42; }
task<int> throws_later() {
    co_await yield();
    throw std::out_of_range("far");
}

task<> errors_come_back() {
    test::error_log log;
    pool p(log.options(1, 1));
    auto calls = [&p] {
        EXPECT_THROW(p.submit_from_thread(throws_number).get(), int);
        EXPECT_THROW(p.submit_from_thread(throws_later).get(), std::out_of_range);
        EXPECT_EQ(p.submit_from_thread(value_job, 3).get(), 3);
    };
    co_await beside(calls);
    co_await p.drain();
    EXPECT_TRUE(log.errors.empty());
    EXPECT_EQ(p.stats().failed, 2U);
}

TEST(PoolThreadsTest, ErrorsCrossTheThreads) { run_threaded(errors_come_back()); }

task<int> add_up(std::atomic<int>& running, int concurrency, int value) {
    EXPECT_LE(running.fetch_add(1) + 1, concurrency);
    if (value % 16 == 0) {
        co_await yield();
    }
    running.fetch_sub(1);
    co_return value;
}

constexpr int thread_count = 4;
constexpr int jobs_per_thread = test::sanitized ? 2'000 : 10'000;

void submit_many(pool& p, std::atomic<int>& running, int concurrency, std::atomic<int>& left) {
    std::vector<std::future<int>> futures;
    futures.reserve(jobs_per_thread);
    for (int value = 0; value < jobs_per_thread; ++value) {
        futures.push_back(p.submit_from_thread(add_up, std::ref(running), concurrency, value));
    }
    for (int value = 0; value < jobs_per_thread; ++value) {
        EXPECT_EQ(futures[static_cast<std::size_t>(value)].get(), value);
    }
    left.fetch_sub(1);
}

task<> many_threads(std::size_t concurrency, std::size_t queue) {
    pool p(sized(concurrency, queue));
    std::atomic<int> running{0};
    std::atomic<int> left{thread_count};
    {
        std::vector<std::jthread> threads;
        for (int count = 0; count < thread_count; ++count) {
            threads.emplace_back(submit_many, std::ref(p), std::ref(running),
                                 static_cast<int>(concurrency), std::ref(left));
        }
        while (left.load() > 0) {
            EXPECT_LE(p.stats().queued, queue);
            co_await yield();
        }
    }
    co_await p.drain();
    EXPECT_EQ(p.stats().completed, static_cast<std::uint64_t>(thread_count * jobs_per_thread));
    EXPECT_LE(p.stats().max_running, concurrency);
}

TEST(PoolThreadsTest, ManyThreadsSubmitManyJobsEach) { run_threaded(many_threads(3, 5)); }

TEST(PoolThreadsTest, ManyThreadsMeetAPoolWithoutAQueue) { run_threaded(many_threads(1, 0)); }

task<> jobs_wait_their_turn() {
    pool p(sized(1, 1));
    gated at;
    std::atomic<bool> sent{false};
    co_await p.post(gated_job, std::ref(at), 0);
    co_await p.post(gated_job, std::ref(at), 1);
    std::future<int> late;
    std::jthread thread([&] {
        late = p.submit_from_thread(gated_job, std::ref(at), 2);
        sent.store(true);
    });
    co_await until_set(sent);
    while (p.stats().parked == 0) {
        co_await yield();
    }
    EXPECT_THAT(p.dump(), testing::HasSubstr("parked: job 0 \"job\" from a thread"));
    EXPECT_EQ(p.try_submit(value_job, 9).error(), pool_errc::full);
    at.go.set();
    co_await until_ready(late);
    EXPECT_EQ(late.get(), 2);
    EXPECT_EQ(at.order, (std::vector<int>{0, 1, 2}));
}

TEST(PoolThreadsTest, AJobFromAThreadWaitsInLine) { run_threaded(jobs_wait_their_turn()); }

task<> the_gate_blocks() {
    pool p(sized(1, 1));
    gated at;
    std::atomic<int> sent{0};
    co_await p.post(gated_job, std::ref(at), 0);
    co_await p.post(gated_job, std::ref(at), 1);
    std::vector<std::future<int>> futures;
    std::jthread thread([&] {
        for (int value = 2; value <= 4; ++value) {
            futures.push_back(p.submit_from_thread(gated_job, std::ref(at), value));
            ++sent;
        }
    });
    while (p.stats().parked == 0) {
        co_await yield();
    }
    for (int turn = 0; turn < 100; ++turn) {
        co_await yield();
    }
    EXPECT_EQ(sent.load(), 1) << "the second waits for the place that the first still has";
    at.go.set();
    while (sent.load() < 3) {
        co_await yield();
    }
    thread.join();
    for (int value = 2; value <= 4; ++value) {
        co_await until_ready(futures[static_cast<std::size_t>(value - 2)]);
        EXPECT_EQ(futures[static_cast<std::size_t>(value - 2)].get(), value);
    }
    co_await p.drain();
}

TEST(PoolThreadsTest, AThreadIsBlockedUntilItsJobsAreAdmitted) { run_threaded(the_gate_blocks()); }

task<> try_submit_does_not_block() {
    pool p(sized(1, 1));
    gated at;
    co_await p.post(gated_job, std::ref(at), 0);
    co_await p.post(gated_job, std::ref(at), 1);
    auto calls = [&p, &at] {
        auto first = p.try_submit_from_thread(gated_job, std::ref(at), 2);
        EXPECT_TRUE(first.has_value());
        auto kept = std::make_unique<int>(3);
        auto second =
            p.try_submit_from_thread([](std::unique_ptr<int> in) { return *in; }, std::move(kept));
        EXPECT_EQ(second.error(), pool_errc::full);
        EXPECT_NE(kept, nullptr) << "nothing was taken";
    };
    co_await beside(calls);
    at.go.set();
    co_await p.drain();
    auto closed = [&p] {
        EXPECT_EQ(p.try_submit_from_thread(value_job, 1).error(), pool_errc::closed);
    };
    co_await beside(closed);
}

TEST(PoolThreadsTest, TrySubmitNeverBlocks) { run_threaded(try_submit_does_not_block()); }

// Calls until it is refused, and tells how.
std::string submit_until_refused(pool& p, gated& at, std::vector<std::future<int>>& futures) {
    try {
        while (true) {
            futures.push_back(p.submit_from_thread(gated_job, std::ref(at), 1));
        }
    } catch (const pool_error& error) {
        return test::in_words(std::make_exception_ptr(error));
    }
}

task<> close_wakes_threads() {
    pool p(sized(1, 0));
    gated at;
    co_await p.post(gated_job, std::ref(at), 0);
    std::vector<std::vector<std::future<int>>> futures(3);
    std::vector<std::string> endings(3);
    std::vector<std::jthread> threads;
    for (std::size_t index = 0; index < 3; ++index) {
        threads.emplace_back(
            [&, index] { endings[index] = submit_until_refused(p, at, futures[index]); });
    }
    while (p.stats().parked == 0) {
        co_await yield();
    }
    p.close();
    at.go.set();
    co_await p.drain();
    threads.clear();
    EXPECT_EQ(endings, std::vector<std::string>(3, "closed"));
    for (std::vector<std::future<int>>& of_thread : futures) {
        for (std::future<int>& future : of_thread) {
            EXPECT_EQ(ending_of_future(std::move(future)), "closed");
        }
    }
    EXPECT_EQ(at.ended, 1);
}

TEST(PoolThreadsTest, CloseWakesBlockedThreadsAndFailsTheJobsOnTheirWay) {
    run_threaded(close_wakes_threads());
}

task<> stop_fails_futures() {
    pool p(sized(1, 1));
    gated at;
    std::vector<std::future<int>> futures;
    auto calls = [&] {
        futures.push_back(p.submit_from_thread(gated_job, std::ref(at), 1));
        futures.push_back(p.submit_from_thread(gated_job, std::ref(at), 2));
    };
    co_await beside(calls);
    while (p.stats().submitted < 2) {
        co_await yield();
    }
    const std::vector<job_info> unstarted = co_await p.stop();
    EXPECT_EQ(unstarted.size(), 1U);
    for (std::future<int>& future : futures) {
        EXPECT_EQ(ending_of_future(std::move(future)), "canceled");
    }
}

TEST(PoolThreadsTest, StopFailsTheFuturesOfWhatItEnds) { run_threaded(stop_fails_futures()); }

task<> the_loops_own_thread_is_refused() {
    pool p(sized(1, 1));
    std::string how = "value";
    try {
        static_cast<void>(p.submit_from_thread(value_job, 1));
    } catch (const pool_error& error) {
        how = test::in_words(std::make_exception_ptr(error));
    }
    EXPECT_EQ(how, "would_deadlock");
    auto tried = p.try_submit_from_thread(value_job, 2);
    EXPECT_TRUE(tried.has_value()) << "this one does not wait";
    co_await until_ready(*tried);
    EXPECT_EQ(tried->get(), 2);
}

TEST(PoolThreadsTest, TheLoopsOwnThreadWouldWaitForItself) {
    run_threaded(the_loops_own_thread_is_refused());
}

// Copies of it wait for `go`, then throw.
struct slow_bad_copy {
    std::latch* inside;
    std::binary_semaphore* go;
    slow_bad_copy(std::latch& tell, std::binary_semaphore& wait) : inside(&tell), go(&wait) {}
    slow_bad_copy(const slow_bad_copy& other) : inside(other.inside), go(other.go) {
        inside->count_down();
        go->acquire();
        throw std::runtime_error("would not copy");
    }
};
void take(const slow_bad_copy&) {}

task<> a_submission_that_fails_on_its_way() {
    pool p(sized(1, 1));
    std::latch inside(1);
    std::binary_semaphore go(0);
    std::string drained;
    std::string submitted;
    scope s;
    std::jthread thread([&] {
        const slow_bad_copy argument(inside, go);
        try {
            static_cast<void>(p.submit_from_thread(take, argument));
        } catch (const std::runtime_error& error) {
            submitted = error.what();
        }
    });
    while (!inside.try_wait()) {
        co_await yield();
    }
    s.spawn(test::keep_ending(test::ending_of(p.drain()), drained));
    for (int turn = 0; turn < 10; ++turn) {
        co_await yield();
    }
    EXPECT_EQ(drained, "pending") << "a job may still be on its way";
    go.release();
    co_await s.join();
    thread.join();
    EXPECT_EQ(drained, "value");
    EXPECT_EQ(submitted, "would not copy");
}

TEST(PoolThreadsTest, ADrainEndsWhenASubmissionFailsOnItsWay) {
    run_threaded(a_submission_that_fails_on_its_way());
}

TEST(PoolThreadsTest, JobsMayBeSentBeforeTheLoopRuns) {
    event_loop loop;
    pool p(loop, sized(1, 2));
    std::future<int> first;
    std::future<int> second;
    std::thread([&] {
        first = p.submit_from_thread(value_job, 1);
        second = p.submit_from_thread(value_job, 2);
    }).join();
    EXPECT_EQ(first.wait_for(0s), std::future_status::timeout);
    loop.run(until_both(first, second));
    EXPECT_EQ(first.get() + second.get(), 3);
    loop.run(p.drain());
}

}  // namespace
}  // namespace weir
