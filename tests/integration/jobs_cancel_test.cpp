// Jobs that are canceled: where they wait for their turn, in batches, and after they failed.
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
using testing::ElementsAre;
using names = std::vector<std::string>;

const job_type<std::string, std::string, raw_payload> echo("echo");
const job_type<std::string, void, raw_payload> note("note");

struct steps {
    names begun;
    event started;
    event go;
    int stopped = 0;
};

// ref: outlives the worker.
task<> hold(steps& seen, names texts) {
    seen.begun.insert(seen.begun.end(), texts.begin(), texts.end());
    seen.started.set();
    try {
        co_await seen.go.wait();
    } catch (const canceled&) {
        ++seen.stopped;
        throw;
    }
}

// ref: outlives the worker.
task<std::string> hold_one(steps& seen, std::string text) {
    names one(1, text);
    co_await hold(seen, std::move(one));
    co_return text;
}

task<> until_claimed(const worker* w, std::uint64_t count) {
    while (w->stats().claimed < count) {
        co_await sleep_for(1ms);
    }
}

task<> until_canceled(const worker* w, std::uint64_t count) {
    while (w->stats().canceled < count) {
        co_await sleep_for(1ms);
    }
}

class JobCancelTest : public testing::Test {
  protected:
    void SetUp() override { WEIR_NEEDS_REDIS(); }
    test::redis_server server_;
};

// ref: all outlive the worker.
task<> cancel_second(std::string url, worker* w, steps* seen) {
    client redis(url);
    queue q(redis);
    submit_options keep;
    keep.keep_result();
    const auto first = co_await q.submit(keep, echo, std::string("first"));
    co_await seen->started.wait();
    const auto second = co_await q.submit(keep, echo, std::string("second"));
    co_await until_claimed(w, 2);
    EXPECT_EQ(co_await second.cancel(), cancel_outcome::asked);
    co_await until_canceled(w, 1);
    std::error_code told;
    try {
        co_await second.result(20s);
    } catch (const exception& problem) {
        told = problem.code();
    }
    EXPECT_EQ(told, job_errc::canceled);
    seen->go.set();
    EXPECT_EQ(co_await first.result(20s), "first");
    co_await redis.close();
}

TEST_F(JobCancelTest, AJobThatWaitsForItsTypesLimitIsCanceledAtOnce) {
    steps seen;
    worker w(server_.url(), quick_worker(5));
    handler_options one;
    one.max_concurrency = 1;
    w.on(echo, [&seen](std::string text) { return hold_one(seen, std::move(text)); }, one);
    run_with_worker(w, with_timeout(20s, cancel_second(server_.url(), &w, &seen)));
    EXPECT_THAT(seen.begun, ElementsAre("first"));
    EXPECT_EQ(seen.stopped, 0);
    EXPECT_EQ(w.stats().done, 1U);
}

TEST_F(JobCancelTest, AJobThatWaitsForARateIsCanceledAtOnce) {
    steps seen;
    worker w(server_.url(), quick_worker(5));
    handler_options rare;
    rare.rate = 1;
    rare.rate_period = std::chrono::hours(1);
    w.on(echo, [&seen](std::string text) { return hold_one(seen, std::move(text)); }, rare);
    run_with_worker(w, with_timeout(20s, cancel_second(server_.url(), &w, &seen)));
    EXPECT_THAT(seen.begun, ElementsAre("first"));
}

// ref: as above.
task<> cancel_one_of_three(std::string url, worker* w, steps* seen) {
    client redis(url);
    queue q(redis);
    const auto first = co_await q.submit(note, std::string("a"));
    const auto second = co_await q.submit(note, std::string("b"));
    co_await until_claimed(w, 2);
    EXPECT_EQ(co_await second.cancel(), cancel_outcome::asked);
    co_await until_canceled(w, 1);
    EXPECT_FALSE(seen->started.is_set());
    co_await q.submit(note, std::string("c"));
    co_await q.submit(note, std::string("d"));
    seen->go.set();
    co_await jobs_are_gone(url, "default");
    co_await redis.close();
}

batch_options three_at_once() {
    batch_options options;
    options.max_jobs = 3;
    options.linger = 60s;
    options.each.retry = retry_policy::none();
    return options;
}

TEST_F(JobCancelTest, AGatheredJobLeavesItsBatch) {
    steps seen;
    worker w(server_.url(), quick_worker(10));
    w.on_batch(
        note, [&seen](names texts) { return hold(seen, std::move(texts)); }, three_at_once());
    run_with_worker(w, with_timeout(20s, cancel_one_of_three(server_.url(), &w, &seen)));
    EXPECT_THAT(seen.begun, ElementsAre("a", "c", "d"));
    EXPECT_EQ(w.stats().done, 3U);
}

using note_job = job_handle<job_type<std::string, void, raw_payload>>;

// Ends when the worker has taken notice of all that was canceled before: its heartbeats come one
// after the other.
// ref: the caller awaits at once.
task<> until_heard(client& redis) {
    for (int beats = 0; beats < 2; ++beats) {
        const auto workers =
            value_or_throw(co_await redis.command<names>("ZRANGE", "weir:{default}:w", 0, 0));
        value_or_throw(
            co_await redis.command<long>("HSET", "weir:{default}:c", "1-1.1", workers.at(0)));
        long left = 1;
        while (left != 0) {
            co_await sleep_for(1ms);
            left = value_or_throw(co_await redis.command<long>("HLEN", "weir:{default}:c"));
        }
    }
}

// ref: as above.
task<> cancel_of_batch(std::string url, steps* seen, std::size_t count) {
    client redis(url);
    queue q(redis);
    std::vector<note_job> jobs;
    for (const char* const text : {"a", "b", "c"}) {
        jobs.push_back(co_await q.submit(note, std::string(text)));
    }
    co_await seen->started.wait();
    for (std::size_t i = 0; i < count; ++i) {
        EXPECT_EQ(co_await jobs[i].cancel(), cancel_outcome::asked);
    }
    co_await until_heard(redis);
    EXPECT_EQ(seen->stopped, count == 3 ? 1 : 0);
    seen->go.set();
    co_await jobs_are_gone(url, "default");
    co_await redis.close();
}

// Fails the first time.
// ref: outlives the worker.
task<> fail_once(steps& seen, names texts) {
    const bool is_first = seen.begun.empty();
    co_await hold(seen, std::move(texts));
    if (is_first) {
        throw std::runtime_error("not yet");
    }
}

TEST_F(JobCancelTest, ABatchThatRunsGoesOnWithoutTheJobThatWasCanceled) {
    steps seen;
    worker w(server_.url(), quick_worker(10));
    batch_options options = three_at_once();
    options.each.retry = retry_policy::fixed(0s, 5);
    options.linger = 100ms;  // those that are tried again
    w.on_batch(note, [&seen](names texts) { return fail_once(seen, std::move(texts)); }, options);
    run_with_worker(w, with_timeout(20s, cancel_of_batch(server_.url(), &seen, 1)));
    EXPECT_EQ(seen.stopped, 0);
    ASSERT_EQ(seen.begun.size(), 5U);
    EXPECT_EQ(std::count(seen.begun.begin(), seen.begun.end(), "a"), 1);
    EXPECT_EQ(w.stats().canceled, 1U);
    EXPECT_EQ(w.stats().done, 2U);
}

TEST_F(JobCancelTest, ABatchIsStoppedWhenAllOfItsJobsAreCanceled) {
    steps seen;
    worker w(server_.url(), quick_worker(10));
    w.on_batch(
        note, [&seen](names texts) { return hold(seen, std::move(texts)); }, three_at_once());
    run_with_worker(w, with_timeout(20s, cancel_of_batch(server_.url(), &seen, 3)));
    EXPECT_EQ(w.stats().canceled, 3U);
    EXPECT_EQ(w.stats().done, 0U);
}

// ref: outlives the worker.
task<std::string> hold_and_fail(steps& seen, std::string text) {
    names one(1, text);
    co_await hold(seen, std::move(one));
    throw std::runtime_error("no luck with " + text);
    co_return text;
}

// ref: as above.
task<> cancel_what_fails(std::string url, steps* seen) {
    client redis(url);
    queue q(redis);
    const auto job = co_await q.submit(echo, std::string("x"));
    co_await seen->started.wait();
    EXPECT_EQ(co_await job.cancel(), cancel_outcome::asked);
    seen->go.set();  // before the next heartbeat tells the worker
    co_await jobs_are_gone(url, "default");
    co_await redis.close();
}

TEST_F(JobCancelTest, AJobThatFailsBeforeItsWorkerHearsOfItIsNotTriedAgain) {
    steps seen;
    worker_options options = quick_worker(5);
    options.heartbeat = 300ms;
    worker w(server_.url(), options);
    handler_options again;
    again.retry = retry_policy::fixed(std::chrono::hours(1), 5);
    w.on(echo, [&seen](std::string text) { return hold_and_fail(seen, std::move(text)); }, again);
    run_with_worker(w, with_timeout(20s, cancel_what_fails(server_.url(), &seen)));
    EXPECT_EQ(seen.begun.size(), 1U);
}

TEST_F(JobCancelTest, ACancelIsNamedUntilItsWorkerSaysThatItHeard) {
    server_.command({"ZADD", "weir:{default}:w", "99999999999999", "me", "99999999999999", "you"});
    server_.command({"HSET", "weir:{default}:c", "1-1.1", "me", "2-1.1", "you"});
    const auto beat = [this](const names& heard) {
        names words = {"EVAL",
                       std::string(scripts::beat.text),
                       "4",
                       "weir:{default}:w",
                       "weir:{default}:m",
                       "weir:{default}:c",
                       "weir:{default}:z",
                       "me",
                       "60000",
                       "0",
                       "0",
                       "0"};
        words.insert(words.end(), heard.begin(), heard.end());
        return server_.command(words);
    };
    EXPECT_THAT(beat({}), testing::EndsWith("1-1.1"));
    EXPECT_THAT(beat({}), testing::EndsWith("1-1.1"));  // the first answer may have been lost
    EXPECT_THAT(beat({"1-1.1", "2-1.1"}), testing::Not(testing::HasSubstr("1.1")));
    EXPECT_EQ(server_.command({"HGETALL", "weir:{default}:c"}), "2-1.1\nyou");
}

}  // namespace
}  // namespace weir::redisq
