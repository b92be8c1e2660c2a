#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <utility>

#include <weir/redisq/jobs/queue.hpp>
#include <weir/redisq/jobs/scripts.hpp>
#include <weir/runtime/event_loop.hpp>
#include <weir/runtime/scope.hpp>
#include <weir/runtime/with_timeout.hpp>

#include "support/fake_jobs.hpp"
#include "support/redis_server.hpp"
#include "support/run_test.hpp"

namespace weir::redisq {
namespace {

using namespace std::chrono_literals;

const job_type<std::string, std::string, raw_payload> echo("echo");

task<> submit_plainly(std::string url) {
    client redis(url);
    queue q(redis, "plain");
    const auto job = co_await q.submit(echo, std::string("hello"));
    EXPECT_TRUE(parse_job_id(job.id()));
    std::string bytes;
    envelope made;
    made.type = "made elsewhere";
    write_envelope(bytes, made);
    const std::string id = co_await q.submit_envelope(bytes, 3);
    EXPECT_TRUE(id.ends_with(".3"));
    EXPECT_EQ(co_await q.size(), 2U);
    EXPECT_THROW(queue(redis, "with blank"), std::invalid_argument);
    queue_options bad;
    bad.max_payload = 0;
    EXPECT_THROW(queue(redis, "plain", bad), std::invalid_argument);
    co_await redis.close();
}

TEST(QueueTest, APlainJobIsOneEntryOfItsLane) {
    WEIR_NEEDS_REDIS();
    test::redis_server server;
    event_loop loop;
    loop.run(submit_plainly(server.url()));
    EXPECT_EQ(server.command({"DBSIZE"}), "2");
    EXPECT_THAT(server.command({"XRANGE", "weir:{plain}:s1", "-", "+"}),
                testing::EndsWith(std::string("\nj\n\x01\x00\x04"
                                              "echohello",
                                              15)));
    EXPECT_EQ(server.command({"XLEN", "weir:{plain}:s3"}), "1");
}

task<> run_into_wrong_type(std::string url) {
    client redis(url);
    queue q(redis, "plain");
    std::error_code code;
    try {
        co_await q.submit(echo, std::string("hello"));
    } catch (const exception& problem) {
        code = problem.code();
    }
    EXPECT_EQ(code, errc::wrong_type);
    co_await redis.close();
}

TEST(QueueTest, AKeyThatHoldsSomethingElseIsAClearError) {
    WEIR_NEEDS_REDIS();
    test::redis_server server;
    server.command({"SET", "weir:{plain}:s1", "text"});
    event_loop loop;
    loop.run(run_into_wrong_type(server.url()));
}

task<> submit_one(queue* q) { co_await q->submit(echo, std::string("waits")); }

task<std::error_code> try_to_submit(queue* q) {
    std::error_code code;
    try {
        co_await q->try_submit(echo, std::string("does not"));
    } catch (const exception& problem) {
        code = problem.code();
    }
    co_return code;
}

task<> try_behind_who_waits(std::string url) {
    client redis(url);
    queue_options options;
    options.max_length = 1;
    queue q(redis, "plain", options);
    co_await q.submit(echo, std::string("has room"));
    scope waiting;
    waiting.spawn(submit_one(&q));
    waiting.spawn(submit_one(&q));
    EXPECT_EQ(co_await q.size(), 1U);  // the others' replies have come before this one
    EXPECT_EQ(co_await with_timeout(10s, try_to_submit(&q)), job_errc::queue_full);
    EXPECT_EQ(waiting.size(), 2U);
    value_or_throw(co_await redis.command<void>("DEL", q.keys().lane(1)));
    while (waiting.size() == 2) {
        static_cast<void>(co_await q.size());
    }
    EXPECT_EQ(co_await q.size(), 1U);
    waiting.request_stop();
    co_await waiting.join();
    co_await redis.close();
}

TEST(QueueTest, TryingToSubmitDoesNotStandInLine) {
    WEIR_NEEDS_REDIS();
    test::redis_server server;
    event_loop loop;
    loop.run(try_behind_who_waits(server.url()));
}

task<> hold_keys(std::string url) {
    client redis(url);
    queue q(redis, "plain");
    submit_options late;
    late.delay(48h).unique("~late");
    co_await q.submit(late, echo, std::string("late"));
    submit_options repeated;
    repeated.repeat_safely();
    co_await q.submit(repeated, echo, std::string("repeated"));
    co_await redis.close();
}

TEST(QueueTest, AUniqueKeyIsHeldUntilTheJobIsDueAndThenAsEver) {
    WEIR_NEEDS_REDIS();
    test::redis_server server;
    event_loop loop;
    loop.run(hold_keys(server.url()));
    const auto left = std::stoll(server.command({"PTTL", "weir:{plain}:u:~late"}));
    EXPECT_GT(left, std::chrono::milliseconds(71h).count());
    EXPECT_LE(left, std::chrono::milliseconds(72h).count());
    // What makes a submit repeatable is no unique key.
    EXPECT_EQ(server.command({"KEYS", "weir:{plain}:u:*"}), "weir:{plain}:u:~late");
    EXPECT_THAT(server.command({"KEYS", "weir:{plain}:t:*"}), testing::StartsWith("weir:"));
}

task<> submit_delayed(queue* q) {
    submit_options later;
    later.delay(1h);
    co_await q->submit(later, echo, std::string("later"));
}

task<> submit_together(std::string url) {
    client redis(url);
    queue q(redis, "plain");
    scope all;
    for (int i = 0; i < 100; ++i) {
        all.spawn(submit_delayed(&q));
    }
    co_await all.join();
    EXPECT_EQ(co_await q.size(), 100U);
    co_await redis.close();
}

TEST(QueueTest, TheServerLearnsTheScriptsOnceHoweverManyNeedThem) {
    WEIR_NEEDS_REDIS();
    test::redis_server server;
    event_loop loop;
    loop.run(submit_together(server.url()));
    EXPECT_THAT(server.command({"INFO", "commandstats"}),
                testing::HasSubstr(
                    "cmdstat_script|load:calls=" + std::to_string(job_scripts().size()) + ","));
}

// What the server is told of how long it has to know of a submit and of a cancel.
struct memory {
    std::string of_submit;
    std::string of_cancel;
};

// ref: the caller awaits at once.
task<> submit_and_cancel(test::fake_jobs& jobs, duration command_timeout, memory& told) {
    jobs.says["file"] = [&told](const test::words& asked) {
        told.of_submit = asked.back();
        return test::array_of({":0\r\n", test::bulk("1-1.1")});
    };
    jobs.says["cancel"] = [&told](const test::words& asked) {
        told.of_cancel = asked.at(3 + 10 + 3);  // behind the name, the keys, and group, id and mark
        return test::bulk("canceled");
    };
    client_options options = jobs.options();
    options.command_timeout = command_timeout;
    client redis(options);
    queue_options brief;
    brief.result_ttl = 1s;
    queue q(redis, "q", brief);
    submit_options safely;
    safely.repeat_safely();
    const auto job = co_await q.submit(safely, echo, std::string("x"));
    EXPECT_EQ(co_await job.cancel(), cancel_outcome::canceled);
    co_await redis.close();
}

TEST(QueueTest, RepeatsAreKnownForLongerThanTheyAreMade) {
    const std::pair<duration, std::string> cases[] = {
        {10s, "60000"}, {5min, "1200000"}, {24h, "345600000"}, {0s, "86400000"}};
    for (const auto& [command_timeout, milliseconds] : cases) {
        memory told;
        test::virtual_loop time;
        test::fake_jobs jobs(time.loop());
        jobs.run(submit_and_cancel(jobs, command_timeout, told));
        EXPECT_EQ(told.of_submit, milliseconds);
        EXPECT_EQ(told.of_cancel, milliseconds);
    }
}

}  // namespace
}  // namespace weir::redisq
