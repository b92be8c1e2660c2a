// Limits of types, weights of queues, and a server at its own limit.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

#include <weir/redisq/jobs/queue.hpp>
#include <weir/redisq/jobs/scripts.hpp>
#include <weir/redisq/jobs/worker.hpp>
#include <weir/runtime/event.hpp>
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
using names = std::vector<std::string>;

const job_type<std::string, std::string, raw_payload> echo("echo");
const job_type<std::string, std::string, raw_payload> other("other");
const job_type<std::string, void, raw_payload> note("note");

class JobLimitsTest : public testing::Test {
  protected:
    void SetUp() override { WEIR_NEEDS_REDIS(); }
    test::redis_server server_;
};

// ref: outlives the worker.
task<std::string> wait_for(event& go, std::string text) {
    co_await go.wait();
    co_return text;
}

task<> until_done(const worker* w, std::uint64_t count) {
    while (w->stats().done < count) {
        co_await sleep_for(1ms);
    }
}

// ref: outlives the worker.
task<> submit_behind(std::string url, worker* w, event* go, worker_stats* then) {
    co_await submit_texts(url, other, 5);
    co_await until_done(w, 5);
    *then = w->stats();
    go->set();
    w->request_stop();
}

TEST_F(JobLimitsTest, ADeepBacklogOfALimitedTypeCostsLittleAndLetsOthersPass) {
    event_loop loop;
    loop.run(submit_texts(server_.url(), echo, 60));
    event go;
    worker w(server_.url(), quick_worker(20));
    handler_options one;
    one.max_concurrency = 1;
    w.on(
         echo, [&go](std::string text) { return wait_for(go, std::move(text)); }, one)
        .on(other, [](std::string text) { return text; });
    const auto began = std::chrono::steady_clock::now();
    worker_stats then;
    run_with_worker(w, with_timeout(20s, submit_behind(server_.url(), &w, &go, &then)));
    const auto tenths = (std::chrono::steady_clock::now() - began) / 100ms + 1;
    EXPECT_LE(then.deferred, 10U * static_cast<std::uint64_t>(tenths));
    EXPECT_LE(then.claimed, then.deferred + 20 + 16 + 5);
    EXPECT_GE(then.deferred, 30U);
}

TEST_F(JobLimitsTest, SoDoesOneOfARareType) {
    event_loop loop;
    loop.run(submit_texts(server_.url(), echo, 60));
    event go;
    go.set();
    worker w(server_.url(), quick_worker(20));
    handler_options rare;
    rare.rate = 1;
    rare.rate_period = std::chrono::hours(24);
    w.on(
         echo, [](std::string text) { return text; }, rare)
        .on(note, [](const std::string&) {})
        .on(other, [](std::string text) { return text; });
    const auto began = std::chrono::steady_clock::now();
    worker_stats then;
    struct starter {
        static task<> run(std::string url, worker* runner, event* open, worker_stats* seen) {
            co_await until_done(runner, 1);  // the one that is granted
            co_await submit_texts(url, other, 4);
            co_await until_done(runner, 5);
            *seen = runner->stats();
            open->set();
        }
    };
    run_with_worker(w, with_timeout(20s, starter::run(server_.url(), &w, &go, &then)));
    const auto tenths = (std::chrono::steady_clock::now() - began) / 100ms + 1;
    EXPECT_LE(then.deferred, 10U * static_cast<std::uint64_t>(tenths));
    EXPECT_LE(then.claimed, then.deferred + 20 + 16 + 5);
    EXPECT_EQ(then.done, 5U);
}

TEST_F(JobLimitsTest, ARateCountsTheJobsOfBatches) {
    event_loop loop;
    loop.run(submit_texts(server_.url(), note, 12));
    worker w(server_.url(), quick_worker(20));
    batch_options options;
    options.max_jobs = 10;
    options.each.rate = 100;
    options.each.rate_burst = 2;
    struct taker {
        static task<> take(std::vector<std::size_t>* into, names texts) {
            into->push_back(texts.size());
            co_return;
        }
    };
    std::vector<std::size_t> sizes;
    w.on_batch(
        note, [&sizes](names texts) { return taker::take(&sizes, std::move(texts)); }, options);
    const auto began = std::chrono::steady_clock::now();
    run_with_worker(w, with_timeout(20s, jobs_are_gone(server_.url(), "default")));
    EXPECT_GE(std::chrono::steady_clock::now() - began, 100ms);  // (12 - 2) / 100 s
    EXPECT_EQ(w.stats().done, 12U);
}

struct two_queues {
    names order;
    event go;
};

// ref: outlives the worker.
task<std::string> note_queue(two_queues& seen, std::string text, std::string queue) {
    co_await seen.go.wait();
    seen.order.push_back(std::move(queue));
    co_return text;
}

// ref: as above.
task<> idle_then_busy(std::string url, two_queues* seen) {
    seen->go.set();
    co_await submit_texts(url, echo, 300, "a");
    co_await jobs_are_gone(url, "a");
    seen->go.reset();
    seen->order.clear();
    co_await submit_texts(url, echo, 100, "a");
    co_await submit_texts(url, echo, 100, "b");
    seen->go.set();
    co_await jobs_are_gone(url, "a");
    co_await jobs_are_gone(url, "b");
}

TEST_F(JobLimitsTest, AQueueThatWasIdleDoesNotStarveTheOthers) {
    two_queues seen;
    worker_options options = quick_worker(2);
    options.order = queue_order::weighted;
    worker w(server_.url(), options);
    w.serve("a").serve("b").on(echo, [&seen](std::string text, job_context& job) {
        return note_queue(seen, std::move(text), job.queue());
    });
    run_with_worker(w, with_timeout(20s, idle_then_busy(server_.url(), &seen)));
    ASSERT_EQ(seen.order.size(), 200U);
    const auto early = std::count(seen.order.begin(), seen.order.begin() + 60, "a");
    EXPECT_GE(early, 15);
    EXPECT_LE(early, 45);
}

TEST_F(JobLimitsTest, AQueueWhoseKeysHoldSomethingElseBlocksNoOther) {
    for (const char* const lane : {"0", "1", "2", "3"}) {
        server_.command({"SET", std::string("weir:{broken}:s") + lane, "x"});
    }
    event_loop loop;
    loop.run(submit_texts(server_.url(), echo, 10, "sound"));
    for (const queue_order order : {queue_order::strict, queue_order::weighted}) {
        worker_options options = quick_worker(2);
        options.order = order;
        worker w(server_.url(), options);
        w.serve("broken").serve("sound").on(echo, [](std::string text) { return text; });
        run_with_worker(w, with_timeout(20s, jobs_are_gone(server_.url(), "sound")));
        EXPECT_EQ(w.stats().done, 10U);
        loop.run(submit_texts(server_.url(), echo, 10, "sound"));
    }
}

task<std::string> tell_and_fail_once(std::string text, job_context& job) {
    co_await job.progress("begun");
    if (text == "1" && job.attempt() == 1) {
        throw std::runtime_error("once more");
    }
    co_return text;
}

task<> submit_kept(std::string url) {
    client redis(url);
    queue q(redis);
    submit_options keep;
    keep.keep_result();
    for (const char* const text : {"0", "1", "2"}) {
        co_await q.submit(keep, echo, std::string(text));
    }
    co_await redis.close();
}

// ref: outlives the worker.
task<> free_memory(test::redis_server* server, worker* w) {
    while (w->stats().done < 2 || w->stats().retried < 1) {
        co_await sleep_for(1ms);
    }
    server->command({"CONFIG", "SET", "maxmemory", "0"});
    co_await jobs_are_gone(server->url(), "default");
}

TEST_F(JobLimitsTest, AtMaxmemoryJobsEndAndRetriesWait) {
    event_loop loop;
    loop.run(submit_kept(server_.url()));
    server_.command({"CONFIG", "SET", "maxmemory", "1"});
    worker w(server_.url(), quick_worker(5));
    handler_options options;
    options.retry = retry_policy::fixed(0s, 3);
    options.rate = 1000;
    w.on(echo, tell_and_fail_once, options);
    run_with_worker(w, with_timeout(20s, free_memory(&server_, &w)));
    EXPECT_EQ(w.stats().done, 3U);
    EXPECT_EQ(w.stats().failed, 1U);
    EXPECT_EQ(w.stats().leases_lost, 0U);
}

std::string eval(test::redis_server& server, const job_script& script, names words) {
    words.insert(words.begin(), {"EVAL", std::string(script.text)});
    return server.command(words);
}

TEST_F(JobLimitsTest, ScriptsOfWorkersGoThroughAtMaxmemory) {
    server_.command({"XGROUP", "CREATE", "s", "w", "0", "MKSTREAM"});
    const std::string entry = server_.command({"XADD", "s", "*", "j", "x"});
    server_.command({"XREADGROUP", "GROUP", "w", "me", "STREAMS", "s", ">"});
    server_.command({"CONFIG", "SET", "maxmemory", "1"});
    EXPECT_EQ(eval(server_, scripts::rate, {"1", "l", "1000", "5", "3"}).substr(0, 2), "3\n");
    EXPECT_EQ(eval(server_, scripts::progress, {"2", "s", "r", "w", "me", entry, "phalf", "1000"}),
              "1");
    EXPECT_EQ(server_.command({"GET", "r"}), "phalf");
}

TEST_F(JobLimitsTest, TheRateScriptGrantsABurstAndThenOneAnInterval) {
    const names asked = {"1", "l", "3600000000", "5", "3"};
    EXPECT_EQ(eval(server_, scripts::rate, asked), "3\n0");
    const std::string second = eval(server_, scripts::rate, asked);
    EXPECT_EQ(second.substr(0, 2), "2\n");
    EXPECT_GT(std::stoull(second.substr(2)), 3'500'000'000U);
    const std::string third = eval(server_, scripts::rate, asked);
    EXPECT_EQ(third.substr(0, 2), "0\n");
    EXPECT_LE(std::stoull(third.substr(2)), 3'600'000'000U);
}

TEST_F(JobLimitsTest, WhatAnotherWorkerHoldsIsNeitherSetAsideNorRecalled) {
    server_.command({"XGROUP", "CREATE", "s", "w", "0", "MKSTREAM"});
    const std::string entry = server_.command({"XADD", "s", "*", "j", "x"});
    server_.command({"XREADGROUP", "GROUP", "w", "other", "STREAMS", "s", ">"});
    EXPECT_EQ(eval(server_, scripts::aside, {"1", "s", "w", "me", entry, "~v2"}), "0");
    EXPECT_EQ(eval(server_, scripts::recall, {"1", "s", "w", "me", entry}), "");
    EXPECT_EQ(eval(server_, scripts::recall, {"1", "s", "w", "other", entry}), entry + "\n1\nj\nx");
    EXPECT_EQ(eval(server_, scripts::aside, {"1", "s", "w", "other", entry, "~v2"}), "1");
    EXPECT_THAT(server_.command({"XPENDING", "s", "w"}), testing::HasSubstr("~v2\n1"));
}

}  // namespace
}  // namespace weir::redisq
