// What a worker does besides running jobs: leases, recovery, stopping, limits, batches, pauses.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include <weir/redisq/jobs/admin.hpp>
#include <weir/redisq/jobs/queue.hpp>
#include <weir/redisq/jobs/worker.hpp>
#include <weir/runtime/scope.hpp>
#include <weir/runtime/sleep.hpp>
#include <weir/runtime/with_timeout.hpp>

#include "support/jobs.hpp"
#include "support/redis_server.hpp"

namespace weir::redisq {
namespace {

using namespace std::chrono_literals;
using test::jobs_are_gone;
using test::quick_worker;
using test::run_with_worker;
using test::submit_texts;
using testing::HasSubstr;

const job_type<std::string, std::string, raw_payload> echo("echo");
const job_type<std::string, void, raw_payload> bulk_note("note");
using names = std::vector<std::string>;

class JobWorkerTest : public testing::Test {
  protected:
    void SetUp() override { WEIR_NEEDS_REDIS(); }
    test::redis_server server_;
};

TEST_F(JobWorkerTest, JobsOfAWorkerWithoutLeaseAreRunByAnother) {
    event_loop loop;
    loop.run(submit_texts(server_.url(), echo, 50));
    server_.command({"XGROUP", "CREATE", "weir:{default}:s1", "w", "0", "MKSTREAM"});
    // One whose lease has run out, and one that has none.
    server_.command({"ZADD", "weir:{default}:w", "1", "dead.worker"});
    server_.command({"XREADGROUP", "GROUP", "w", "dead.worker", "COUNT", "20", "STREAMS",
                     "weir:{default}:s1", ">"});
    server_.command(
        {"XREADGROUP", "GROUP", "w", "ghost", "COUNT", "20", "STREAMS", "weir:{default}:s1", ">"});
    names ran;
    worker w(server_.url(), quick_worker(7));
    w.on(echo, [&ran](std::string text) {
        ran.push_back(text);
        return text;
    });
    run_with_worker(w, jobs_are_gone(server_.url(), "default"));
    std::ranges::sort(ran);
    EXPECT_EQ(ran.size(), 50U);
    EXPECT_EQ(std::ranges::unique(ran).size(), 0U);
    EXPECT_EQ(w.stats().recovered, 40U);
    EXPECT_EQ(server_.command({"ZCARD", "weir:{default}:w"}), "0");
}

TEST_F(JobWorkerTest, JobsOfADeadWorkerAreRunAtMaxmemory) {
    event_loop loop;
    loop.run(submit_texts(server_.url(), echo, 5));
    server_.command({"XGROUP", "CREATE", "weir:{default}:s1", "w", "0", "MKSTREAM"});
    server_.command({"ZADD", "weir:{default}:w", "1", "dead.worker"});
    server_.command({"XREADGROUP", "GROUP", "w", "dead.worker", "COUNT", "5", "STREAMS",
                     "weir:{default}:s1", ">"});
    server_.command({"CONFIG", "SET", "maxmemory", "1"});
    std::size_t ran = 0;
    worker w(server_.url(), quick_worker(2));
    w.on(echo, [&ran](std::string text) {
        ++ran;
        return text;
    });
    run_with_worker(w, with_timeout(20s, jobs_are_gone(server_.url(), "default")));
    EXPECT_EQ(ran, 5U);
    EXPECT_EQ(w.stats().recovered, 5U);
}

struct held_jobs {
    event started;
    event go;
    int begun = 0;
    int stopped = 0;
};

// ref: outlives the worker.
task<std::string> hold(held_jobs& held, std::string text) {
    ++held.begun;
    held.started.set();
    try {
        co_await held.go.wait();
    } catch (const canceled&) {
        ++held.stopped;
        throw;
    }
    co_return text;
}

task<> stop_when_started(worker* w, held_jobs* held) {
    co_await held->started.wait();
    w->request_stop();
    EXPECT_EQ(held->stopped, 0);
    co_return;
}

TEST_F(JobWorkerTest, StoppingHandsBackWhatHasNotEnded) {
    event_loop loop;
    loop.run(submit_texts(server_.url(), echo, 20));
    held_jobs held;
    worker_options options = quick_worker(5);
    options.grace = 10ms;
    options.lease = 1h;  // so only the hand-back makes them free
    worker w(server_.url(), options);
    w.on(echo, [&held](std::string text) { return hold(held, std::move(text)); });
    run_with_worker(w, stop_when_started(&w, &held));
    EXPECT_EQ(held.begun, held.stopped);
    EXPECT_GT(held.begun, 0);
    EXPECT_EQ(server_.command({"XLEN", "weir:{default}:s1"}), "20");
    // The next one has them at once, and takes nobody for crashed.
    worker next(server_.url(), quick_worker());
    std::uint32_t crashes = 0;
    next.on(echo, [&crashes](std::string text, job_context& job) {
        crashes += job.crashes();
        return text;
    });
    run_with_worker(next, jobs_are_gone(server_.url(), "default"));
    EXPECT_EQ(next.stats().done, 20U);
    EXPECT_EQ(crashes, 0U);
}

task<> let_go_while_stopping(worker* w, held_jobs* held) {
    co_await held->started.wait();
    w->request_stop();
    co_await sleep_for(20ms);
    held->go.set();
}

TEST_F(JobWorkerTest, StoppingWaitsForRunningJobs) {
    event_loop loop;
    loop.run(submit_texts(server_.url(), echo, 3));
    held_jobs held;
    worker w(server_.url(), quick_worker(5));
    w.on(echo, [&held](std::string text) { return hold(held, std::move(text)); });
    run_with_worker(w, let_go_while_stopping(&w, &held));
    EXPECT_EQ(held.stopped, 0);
    EXPECT_EQ(server_.command({"XLEN", "weir:{default}:s1"}), "0");
}

task<> take_lease_away(test::redis_server* server, worker* w, held_jobs* held) {
    co_await held->started.wait();
    server->command({"DEL", "weir:{default}:w"});
    while (held->stopped == 0) {
        co_await sleep_for(1ms);
    }
    EXPECT_EQ(w->stats().leases_lost, 1U);
    held->go.set();
    co_await jobs_are_gone(server->url(), "default");
}

TEST_F(JobWorkerTest, AWorkerThatLosesItsLeaseStopsItsJobsAndBeginsAnew) {
    event_loop loop;
    loop.run(submit_texts(server_.url(), echo, 3));
    held_jobs held;
    worker w(server_.url(), quick_worker(5));
    w.on(echo, [&held](std::string text) { return hold(held, std::move(text)); });
    run_with_worker(w, take_lease_away(&server_, &w, &held));
    EXPECT_EQ(held.stopped, 3);
    EXPECT_EQ(w.stats().done, 3U);
}

task<> cancel_running(std::string url, held_jobs* held) {
    client redis(url);
    queue q(redis);
    submit_options keep;
    keep.keep_result();
    const auto job = co_await q.submit(keep, echo, std::string("x"));
    co_await held->started.wait();
    EXPECT_EQ(co_await job.cancel(), cancel_outcome::asked);
    std::string told;
    try {
        told = co_await job.result(20s);
    } catch (const exception& problem) {
        EXPECT_EQ(problem.code(), job_errc::canceled);
        told = "canceled";
    }
    EXPECT_EQ(told, "canceled");
    EXPECT_EQ(co_await q.size(), 0U);
    co_await redis.close();
}

TEST_F(JobWorkerTest, ARunningJobIsAskedToStop) {
    held_jobs held;
    worker w(server_.url(), quick_worker(5));
    w.on(echo, [&held](std::string text) { return hold(held, std::move(text)); });
    run_with_worker(w, cancel_running(server_.url(), &held));
    EXPECT_EQ(held.stopped, 1);
    EXPECT_EQ(w.stats().canceled, 1U);
}

task<std::string> tells_progress(std::string text, job_context& job) {
    co_await job.progress("half of " + text);
    co_await sleep_for(60ms);
    co_return text;
}

task<> watch_progress(std::string url) {
    client redis(url);
    queue q(redis);
    submit_options keep;
    keep.keep_result();
    const auto job = co_await q.submit(keep, echo, std::string("it"));
    std::optional<std::string> said;
    while (!said) {
        said = co_await job.progress();
    }
    EXPECT_EQ(*said, "half of it");
    EXPECT_EQ(co_await job.result(20s), "it");
    EXPECT_EQ(co_await job.progress(), std::nullopt);
    co_await redis.close();
}

TEST_F(JobWorkerTest, ProgressIsSeenByWhoWaits) {
    worker w(server_.url(), quick_worker(5));
    w.on(echo, tells_progress);
    run_with_worker(w, watch_progress(server_.url()));
}

struct load {
    int now = 0;
    int most = 0;
};

// ref: outlives the worker.
task<std::string> counted(load& running, std::string text) {
    running.most = std::max(running.most, ++running.now);
    co_await sleep_for(1ms);
    --running.now;
    co_return text;
}

TEST_F(JobWorkerTest, LimitsOfWorkerAndTypeHold) {
    event_loop loop;
    loop.run(submit_texts(server_.url(), echo, 12));
    load running;
    worker w(server_.url(), quick_worker(20));
    handler_options options;
    options.max_concurrency = 3;
    w.on(echo, [&running](std::string text) { return counted(running, std::move(text)); }, options);
    run_with_worker(w, jobs_are_gone(server_.url(), "default"));
    EXPECT_EQ(running.most, 3);
    loop.run(submit_texts(server_.url(), echo, 60));
    load wide;
    worker other(server_.url(), quick_worker(20));
    other.on(echo, [&wide](std::string text) { return counted(wide, std::move(text)); });
    run_with_worker(other, jobs_are_gone(server_.url(), "default"));
    EXPECT_LE(wide.most, 20);
    EXPECT_GT(wide.most, 10);
}

TEST_F(JobWorkerTest, ARateLimitSpreadsTheStarts) {
    event_loop loop;
    loop.run(submit_texts(server_.url(), echo, 12));
    worker w(server_.url(), quick_worker(20));
    handler_options options;
    options.rate = 200;
    options.rate_burst = 2;
    w.on(echo, [](std::string text) { return text; }, options);
    const auto began = std::chrono::steady_clock::now();
    run_with_worker(w, jobs_are_gone(server_.url(), "default"));
    EXPECT_GE(std::chrono::steady_clock::now() - began, 50ms);  // (12 - 2) / 200 s
    EXPECT_EQ(w.stats().done, 12U);
}

TEST_F(JobWorkerTest, BatchesTakeManyJobsInOneCall) {
    event_loop loop;
    loop.run(submit_texts(server_.url(), bulk_note, 250));
    std::vector<std::size_t> sizes;
    worker w(server_.url(), quick_worker(300));
    batch_options options;
    options.max_jobs = 100;
    options.linger = 5ms;
    struct taker {
        static task<> take(std::vector<std::size_t>* into, names texts) {
            into->push_back(texts.size());
            co_return;
        }
    };
    w.on_batch(
        bulk_note, [&sizes](names texts) { return taker::take(&sizes, std::move(texts)); },
        options);
    run_with_worker(w, jobs_are_gone(server_.url(), "default"));
    std::size_t total = 0;
    for (const std::size_t size : sizes) {
        EXPECT_LE(size, 100U);
        total += size;
    }
    EXPECT_EQ(total, 250U);
    EXPECT_LE(sizes.size(), 6U);
}

task<> pause_and_resume(std::string url, worker* w) {
    client redis(url);
    queue_admin admin(redis);
    co_await admin.pause();
    co_await sleep_for(60ms);
    const std::uint64_t before = w->stats().claimed;
    co_await submit_texts(url, echo, 5);
    co_await submit_texts(url, echo, 5);
    co_await sleep_for(60ms);
    const queue_counts now = co_await admin.counts();
    EXPECT_TRUE(now.is_paused);
    EXPECT_EQ(now.workers, 1U);
    // Reads that were on their way when it was paused may still bring some.
    EXPECT_LE(w->stats().claimed - before, 5U);
    co_await admin.resume();
    co_await jobs_are_gone(url, "default");
    co_await redis.close();
}

TEST_F(JobWorkerTest, APausedQueueIsLeftAlone) {
    worker w(server_.url(), quick_worker(1));
    w.on(echo, [](std::string text) { return text; });
    run_with_worker(w, pause_and_resume(server_.url(), &w));
    EXPECT_EQ(w.stats().done, 10U);
}

TEST_F(JobWorkerTest, SeveralQueuesAreServedInTheirOrder) {
    event_loop loop;
    loop.run(submit_texts(server_.url(), echo, 40, "low"));
    loop.run(submit_texts(server_.url(), echo, 40, "high"));
    names order;
    worker w(server_.url(), quick_worker(4));
    w.serve("high").serve("low").on(echo, [&order](std::string text, job_context& job) {
        order.push_back(job.queue());
        return text;
    });
    struct both {
        static task<> gone(std::string url) {
            co_await jobs_are_gone(url, "high");
            co_await jobs_are_gone(url, "low");
        }
    };
    run_with_worker(w, both::gone(server_.url()));
    ASSERT_EQ(order.size(), 80U);
    // Of the other queue, no more than one read's worth gets in between.
    EXPECT_GE(std::count(order.begin(), order.begin() + 40, "high"), 32);
}

TEST_F(JobWorkerTest, AWrongPasswordIsOneClearError) {
    event_loop loop;
    server_.command({"CONFIG", "SET", "requirepass", "secret"});
    worker unknown(server_.url(), quick_worker());
    try {
        loop.run(unknown.run());
        FAIL() << "it began without a password";
    } catch (const exception& problem) {
        EXPECT_EQ(problem.code(), errc::no_auth) << problem.what();
    }
}

}  // namespace
}  // namespace weir::redisq
