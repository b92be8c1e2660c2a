#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

#include <weir/redisq/jobs/admin.hpp>
#include <weir/redisq/jobs/queue.hpp>
#include <weir/runtime/event_loop.hpp>

#include "support/redis_server.hpp"

namespace weir::redisq {
namespace {

using namespace std::chrono_literals;

const job_type<std::string, void, raw_payload> note("note");

// ref: outlives the loop.
task<> look_and_mend(test::redis_server& server) {
    client redis(server.url());
    queue q(redis, "notes");
    queue_admin admin(redis, "notes");
    const auto none = co_await admin.counts();
    EXPECT_EQ(none.waiting + none.running + none.delayed + none.dead + none.workers, 0U);
    for (const char* text : {"first", "second", "third"}) {
        co_await q.submit(note, std::string(text));
    }
    submit_options later;
    later.delay(1h);
    const auto delayed = co_await q.submit(later, note, std::string("later"));
    server.command({"XGROUP", "CREATE", "weir:{notes}:s1", "w", "0"});
    server.command({"ZADD", "weir:{notes}:w", "99999999999999", "somebody"});
    server.command({"HSET", "weir:{notes}:i", "somebody", "{}"});
    server.command(
        {"XREADGROUP", "GROUP", "w", "somebody", "COUNT", "1", "STREAMS", "weir:{notes}:s1", ">"});

    const auto now = co_await admin.counts();
    EXPECT_EQ(now.waiting, 2U);
    EXPECT_EQ(now.running, 1U);
    EXPECT_EQ(now.delayed, 1U);
    EXPECT_EQ(now.lanes[1], 3U);
    const auto running = co_await admin.list(job_state::running);
    EXPECT_EQ(running.size(), 1U);
    EXPECT_EQ(running.at(0).payload, "first");
    EXPECT_EQ(running.at(0).worker, "somebody");
    const auto waiting = co_await admin.list(job_state::waiting, 1);
    EXPECT_EQ(waiting.size(), 1U);
    EXPECT_EQ(waiting.at(0).payload, "second");
    EXPECT_EQ(waiting.at(0).type, "note");
    const auto shown = co_await admin.show(delayed.id());
    EXPECT_TRUE(shown && shown->state == job_state::delayed && shown->time_ms > 0);
    EXPECT_FALSE(co_await admin.show("1-1.1"));
    const auto workers = co_await admin.workers();
    EXPECT_EQ(workers.size(), 1U);
    EXPECT_EQ(workers.at(0).running, 1U);
    EXPECT_GT(workers.at(0).lease_ms, 0);
    const auto names = co_await queue_admin::queues(redis);
    EXPECT_THAT(names, testing::ElementsAre("notes"));

    EXPECT_EQ(co_await admin.kill(waiting.at(0).id), cancel_outcome::canceled);
    EXPECT_EQ(co_await admin.kill(running.at(0).id), cancel_outcome::asked);
    EXPECT_EQ(co_await admin.purge(purge_what::waiting), 2U);
    EXPECT_EQ(co_await q.size(), 1U);  // what runs
    co_await redis.close();
}

TEST(AdminTest, LooksAtAQueueAndMendsIt) {
    WEIR_NEEDS_REDIS();
    test::redis_server server;
    event_loop loop;
    loop.run(look_and_mend(server));
}

// ref: outlives the loop.
task<> bring_back_the_dead(test::redis_server& server) {
    client redis(server.url());
    queue_admin admin(redis, "notes");
    std::string bytes;
    envelope job;
    job.type = "note";
    job.attempts = 5;
    job.history = "5\t1\tw\tno disk\n";
    write_envelope(bytes, job);
    for (const char* id : {"1-0.1", "2-0.1", "3-0.1"}) {
        server.command({"ZADD", "weir:{notes}:dead", "7", id});
        server.command({"HSET", "weir:{notes}:d", id, bytes});
    }
    EXPECT_EQ(co_await admin.kill("1-0.1"), cancel_outcome::canceled);
    EXPECT_TRUE(co_await admin.retry("2-0.1"));
    const auto again = co_await admin.show("2-0.1");
    EXPECT_TRUE(again && again->state == job_state::waiting && again->attempts == 0);
    EXPECT_EQ(again ? again->history : "", job.history);
    EXPECT_EQ(co_await admin.retry_all(), 1U);
    EXPECT_EQ(co_await admin.purge(purge_what::everything), 2U);
    co_await redis.close();
}

TEST(AdminTest, TheDeadCanBeQueuedAgain) {
    WEIR_NEEDS_REDIS();
    test::redis_server server;
    event_loop loop;
    loop.run(bring_back_the_dead(server));
}

// ref: outlives the loop.
task<> purge_some(test::redis_server& server) {
    client redis(server.url());
    queue q(redis, "notes");
    queue_admin admin(redis, "notes");
    submit_options unique;
    submit_options delayed;
    for (int i = 0; i < 450; ++i) {
        co_await q.submit(unique.unique("w" + std::to_string(i)).keep_result(), note,
                          std::string("waits"));
        co_await q.submit(delayed.unique("d" + std::to_string(i)).delay(1h), note,
                          std::string("is delayed"));
    }
    const std::string lane = q.keys().lane(1);
    server.command({"XGROUP", "CREATE", lane, "w", "0"});
    const auto claim = [&](const char* who) {
        server.command({"XREADGROUP", "GROUP", "w", who, "COUNT", "1", "STREAMS", lane, ">"});
    };
    claim("runs");
    claim("~back");
    claim("~v9");
    const auto now = co_await admin.counts();
    EXPECT_EQ(now.running, 1U);
    EXPECT_EQ(now.set_aside, 1U);
    EXPECT_EQ(now.waiting, 448U);
    EXPECT_EQ((co_await admin.list(job_state::running)).size(), 1U);
    EXPECT_EQ((co_await admin.list(job_state::waiting, 1000)).size(), 449U);

    EXPECT_EQ(co_await admin.purge(purge_what::waiting), 448U + 450U);
    EXPECT_EQ(co_await q.size(), 2U);
    EXPECT_EQ(server.command({"KEYS", "weir:{notes}:u:d*"}), "");
    EXPECT_EQ(server.command({"EXISTS", "weir:{notes}:u:w0", "weir:{notes}:u:w2"}), "2");
    EXPECT_EQ(server.command({"EXISTS", "weir:{notes}:u:w1", "weir:{notes}:u:w3"}), "0");
    EXPECT_EQ(server.command({"EXISTS", "weir:{notes}:h"}), "0");
    EXPECT_EQ(co_await admin.purge(purge_what::everything), 1U);
    EXPECT_EQ(server.command({"XPENDING", lane, "w", "-", "+", "10", "runs"}).empty(), false);
    co_await redis.close();
}

TEST(AdminTest, PurgingTakesWhatWaitsWithItsKeysAndLeavesWhatRuns) {
    WEIR_NEEDS_REDIS();
    test::redis_server server;
    event_loop loop;
    loop.run(purge_some(server));
}

// ref: outlives the loop.
task<> look_behind_many(test::redis_server& server) {
    client redis(server.url());
    queue q(redis, "notes");
    queue_admin admin(redis, "notes");
    const std::vector<std::string> running(11'000, "runs");
    const std::vector<std::string> waiting(3, "waits");
    co_await q.submit_many(note, running);
    server.command({"XGROUP", "CREATE", q.keys().lane(1), "w", "0"});
    server.command({"EVAL",
                    "redis.call('XREADGROUP', 'GROUP', 'w', 'busy', 'COUNT', 11000, 'STREAMS', "
                    "KEYS[1], '>') return 1",
                    "1", q.keys().lane(1)});
    co_await q.submit_many(note, waiting);
    const auto found = co_await admin.list(job_state::waiting, 10);
    EXPECT_EQ(found.size(), 3U);
    for (const job_description& each : found) {
        EXPECT_EQ(each.payload, "waits");
    }
    EXPECT_EQ((co_await admin.list(job_state::running, 10'000)).size(), 10'000U);
    co_await redis.close();
}

TEST(AdminTest, WhatWaitsIsFoundBehindAnyNumberOfRunningJobs) {
    WEIR_NEEDS_REDIS();
    test::redis_server server;
    event_loop loop;
    loop.run(look_behind_many(server));
}

TEST(AdminTest, StatesHaveNames) {
    EXPECT_EQ(job_state_name(job_state::waiting), "waiting");
    EXPECT_EQ(job_state_name(job_state::dead), "dead");
}

}  // namespace
}  // namespace weir::redisq
