// Ways of submitting: later, once, urgently, no more than so many, and taking it back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include <weir/redisq/jobs/admin.hpp>
#include <weir/redisq/jobs/queue.hpp>
#include <weir/redisq/jobs/scripts.hpp>
#include <weir/redisq/jobs/worker.hpp>
#include <weir/runtime/scope.hpp>
#include <weir/runtime/sleep.hpp>

#include "support/jobs.hpp"
#include "support/redis_server.hpp"

namespace weir::redisq {
namespace {

using namespace std::chrono_literals;
using test::jobs_are_gone;
using test::quick_worker;
using test::run_with_worker;

const job_type<std::string, std::string, raw_payload> echo("echo");
using names = std::vector<std::string>;

class JobSubmitTest : public testing::Test {
  protected:
    void SetUp() override { WEIR_NEEDS_REDIS(); }

    // Runs `body` on a loop of its own, then a worker until nothing is left; what it ran, in order.
    names run_after(task<> body, std::size_t concurrency = 1) {
        event_loop loop;
        loop.run(std::move(body));
        names ran;
        worker w(server_.url(), quick_worker(concurrency));
        w.on(echo, [&ran](std::string text) {
            ran.push_back(text);
            return text;
        });
        run_with_worker(w, jobs_are_gone(server_.url(), "default"));
        return ran;
    }

    test::redis_server server_;
};

task<> submit_in_lanes(std::string url) {
    client redis(url);
    queue q(redis);
    for (const int lane : {3, 1, 0, 2, 1}) {
        submit_options options;
        options.lane(lane);
        co_await q.submit(options, echo, "lane " + std::to_string(lane));
    }
    co_await redis.close();
}

TEST_F(JobSubmitTest, UrgentLanesGoFirst) {
    EXPECT_EQ(run_after(submit_in_lanes(server_.url())),
              (names{"lane 0", "lane 1", "lane 1", "lane 2", "lane 3"}));
}

task<> submit_delayed(std::string url) {
    client redis(url);
    queue q(redis);
    submit_options late;
    late.delay(120ms);
    co_await q.submit(late, echo, std::string("late"));
    submit_options sooner;
    sooner.delay(60ms);
    co_await q.submit(sooner, echo, std::string("sooner"));
    submit_options past;
    past.at(std::chrono::system_clock::time_point(1h));
    co_await q.submit(past, echo, std::string("past"));
    co_await q.submit(echo, std::string("now"));
    EXPECT_EQ(co_await q.size(), 4U);
    co_await redis.close();
}

TEST_F(JobSubmitTest, DelayedJobsRunWhenTheyAreDue) {
    EXPECT_EQ(run_after(submit_delayed(server_.url())), (names{"past", "now", "sooner", "late"}));
    EXPECT_EQ(server_.command({"HLEN", "weir:{default}:h"}), "0");
    EXPECT_EQ(server_.command({"ZCARD", "weir:{default}:z"}), "0");
}

task<> submit_unique(std::string url, bool* again) {
    client redis(url);
    queue q(redis);
    submit_options once;
    once.unique("user 7");
    const auto first = co_await q.submit(once, echo, std::string("first"));
    const auto second = co_await q.submit(once, echo, std::string("second"));
    EXPECT_FALSE(first.is_duplicate());
    EXPECT_EQ(second.is_duplicate(), !*again);
    EXPECT_EQ(second.id(), first.id());
    submit_options repeated;
    repeated.repeat_safely();
    co_await q.submit(repeated, echo, std::string("other"));
    co_await redis.close();
}

TEST_F(JobSubmitTest, AUniqueJobIsQueuedOnceUntilItHasEnded) {
    bool again = false;
    EXPECT_EQ(run_after(submit_unique(server_.url(), &again)), (names{"first", "other"}));
    EXPECT_EQ(server_.command({"EXISTS", "weir:{default}:u:user 7"}), "0");
    EXPECT_EQ(run_after(submit_unique(server_.url(), &again)), (names{"first", "other"}));
}

// Its reply was lost, and the job has ended before the submit is repeated.
TEST_F(JobSubmitTest, ALateRepeatOfAUniqueSubmitQueuesNothing) {
    const queue_keys names_of("default");
    std::vector<std::string> words = {"EVAL", std::string(scripts::file.text), "9"};
    words.insert(words.end(), names_of.lanes().begin(), names_of.lanes().end());
    for (const std::string& word :
         {names_of.delayed(), names_of.filed(), names_of.meta(), names_of.unique("user 7"),
          names_of.token("token"), std::string("job"), std::string("1"), std::string("now"),
          std::string("0"), std::string("0"), std::string("60000"), std::string("token"),
          std::string("60000")}) {
        words.push_back(word);
    }
    server_.command(words);
    EXPECT_EQ(server_.command({"XLEN", names_of.lane(1)}), "1");
    server_.command({"DEL", names_of.lane(1), names_of.unique("user 7")});  // it ran
    server_.command(words);
    EXPECT_EQ(server_.command({"XLEN", names_of.lane(1)}), "0");
}

task<> submit_and_cancel(std::string url) {
    client redis(url);
    queue q(redis);
    submit_options late;
    late.delay(10min).unique("key");
    const auto delayed = co_await q.submit(late, echo, std::string("delayed"));
    const auto waiting = co_await q.submit(echo, std::string("waiting"));
    co_await q.submit(echo, std::string("stays"));
    EXPECT_EQ(co_await delayed.cancel(), cancel_outcome::canceled);
    EXPECT_EQ(co_await waiting.cancel(), cancel_outcome::canceled);
    EXPECT_EQ(co_await waiting.cancel(), cancel_outcome::unknown);
    EXPECT_EQ(co_await q.cancel("nonsense"), cancel_outcome::unknown);
    EXPECT_EQ(co_await q.size(), 1U);
    co_await redis.close();
}

TEST_F(JobSubmitTest, WhatWaitsOrIsDelayedCanBeCanceled) {
    EXPECT_EQ(run_after(submit_and_cancel(server_.url())), names{"stays"});
    EXPECT_EQ(server_.command({"EXISTS", "weir:{default}:u:key"}), "0");
}

// Its reply was lost, and it is repeated; and then somebody else asks.
TEST_F(JobSubmitTest, ARepeatedCancelSaysWhatTheFirstOneDid) {
    const queue_keys names_of("default");
    const std::string entry = server_.command({"XADD", names_of.lane(1), "*", "j", "job"});
    const std::string id = first_job_id(entry, 1);
    server_.command({"SET", names_of.unique("key"), id});
    std::vector<std::string> words = {"EVAL", std::string(scripts::cancel.text), "10"};
    words.insert(words.end(), names_of.lanes().begin(), names_of.lanes().end());
    for (const std::string& word :
         {names_of.delayed(), names_of.filed(), names_of.cancels(), names_of.leases(),
          names_of.result(id), names_of.unique("key"), std::string("w"), id, std::string("cmine"),
          std::string("60000"), std::string("1"), std::string(), std::string("1")}) {
        words.push_back(word);
    }
    EXPECT_EQ(server_.command(words), "canceled");
    EXPECT_EQ(server_.command({"EXISTS", names_of.unique("key")}), "0");
    EXPECT_EQ(server_.command(words), "canceled");
    words[words.size() - 5] = "cyours";
    EXPECT_EQ(server_.command(words), "unknown");
}

task<> cancel_one(std::string url, std::string id, cancel_outcome expected) {
    client redis(url);
    queue q(redis);
    EXPECT_EQ(co_await q.cancel(id), expected);
    co_await redis.close();
}

TEST_F(JobSubmitTest, AJobWhoseWorkerIsGoneCanBeCanceled) {
    const queue_keys names_of("default");
    const std::string entry = server_.command({"XADD", names_of.lane(1), "*", "j", "job"});
    server_.command({"XGROUP", "CREATE", names_of.lane(1), "w", "0"});
    server_.command({"XREADGROUP", "GROUP", "w", "gone", "STREAMS", names_of.lane(1), ">"});
    event_loop loop;
    server_.command({"ZADD", names_of.leases(), "99999999999999", "gone"});
    loop.run(cancel_one(server_.url(), first_job_id(entry, 1), cancel_outcome::asked));
    server_.command({"ZADD", names_of.leases(), "1", "gone"});
    loop.run(cancel_one(server_.url(), first_job_id(entry, 1), cancel_outcome::canceled));
    EXPECT_EQ(server_.command({"XLEN", names_of.lane(1)}), "0");
    EXPECT_EQ(server_.command({"XPENDING", names_of.lane(1), "w"}), "0\n(nil)\n(nil)\n(nil)");
}

TEST_F(JobSubmitTest, ADamagedRecordOfADelayedJobDoesNotHoldUpTheOthers) {
    const queue_keys names_of("default");
    for (const char* id : {"1-1.d", "1-2.d", "1-3.d"}) {
        server_.command({"ZADD", names_of.delayed(), "1", id});
    }
    server_.command({"HSET", names_of.filed(), "1-1.d", "x damaged", "1-2.d", ""});
    std::string bytes = "1";
    envelope job;
    job.type = "echo";
    job.payload = "sound";
    write_envelope(bytes, job);
    server_.command({"HSET", names_of.filed(), "1-3.d", bytes});
    struct looker {
        static task<> look(std::string url) {
            client redis(url);
            queue_admin admin(redis);
            const auto dead = co_await admin.list(job_state::dead);
            EXPECT_EQ(dead.size(), 2U);
            for (const job_description& each : dead) {
                EXPECT_EQ(each.type, "damaged record");
                EXPECT_THAT(last_reason(each.history), testing::HasSubstr("no lane from 0 to 3"));
                EXPECT_EQ(each.payload, each.id == "1-1.d" ? "x damaged" : "");
            }
            EXPECT_EQ((co_await admin.counts()).buried, 2U);
            co_await redis.close();
        }
    };
    EXPECT_EQ(run_after(cancel_one(server_.url(), "1-9.d", cancel_outcome::unknown)),
              names{"sound"});
    event_loop loop;
    loop.run(looker::look(server_.url()));
}

task<> submit_to_die_waiting(std::string url) {
    client redis(url);
    queue q(redis);
    submit_options hasty;
    hasty.start_within(1ms);
    co_await q.submit(hasty, echo, std::string("too late"));
    hasty.start_within(1h);
    co_await q.submit(hasty, echo, std::string("in time"));
    co_await sleep_for(20ms);
    co_await redis.close();
}

TEST_F(JobSubmitTest, AJobThatDoesNotStartByItsDeadlineIsDead) {
    EXPECT_EQ(run_after(submit_to_die_waiting(server_.url())), names{"in time"});
    EXPECT_EQ(server_.command({"ZCARD", "weir:{default}:dead"}), "1");
}

task<> fill_up(std::string url) {
    client redis(url);
    queue_options options;
    options.max_length = 3;
    queue q(redis, "default", options);
    submit_options late;
    late.delay(1ms);
    co_await q.submit(late, echo, std::string("1"));
    co_await q.submit(echo, std::string("2"));
    co_await q.try_submit(echo, std::string("3"));
    std::string told;
    try {
        co_await q.try_submit(echo, std::string("4"));
    } catch (const exception& problem) {
        EXPECT_EQ(problem.code(), job_errc::queue_full);
        told = problem.what();
    }
    EXPECT_EQ(told, "queue 'default' is full: it has 3 jobs, its limit");
    co_await redis.close();
}

TEST_F(JobSubmitTest, AFullQueueRefusesWhoDoesNotWait) {
    EXPECT_EQ(run_after(fill_up(server_.url())).size(), 3U);
}

struct length_watch {
    std::size_t longest = 0;
};

task<> overfill(std::string url, length_watch* watch) {
    client redis(url);
    queue_options options;
    options.max_length = 10;
    queue q(redis, "default", options);
    names many;
    for (int i = 0; i < 300; ++i) {
        many.push_back(std::to_string(i));
    }
    EXPECT_EQ(co_await q.submit_many(echo, many), 300U);
    watch->longest = std::max(watch->longest, co_await q.size());
    co_await redis.close();
    co_await jobs_are_gone(url, "default");
}

TEST_F(JobSubmitTest, ProducersWaitAtTheLimitAndNothingIsTrimmed) {
    names ran;
    length_watch watch;
    worker w(server_.url(), quick_worker(4));
    w.on(echo, [&ran](std::string text) {
        ran.push_back(text);
        return text;
    });
    run_with_worker(w, overfill(server_.url(), &watch));
    ASSERT_EQ(ran.size(), 300U);
    for (std::size_t i = 0; i < ran.size(); ++i) {
        EXPECT_EQ(ran[i], std::to_string(i));
    }
    EXPECT_LE(watch.longest, 10U);
}

}  // namespace
}  // namespace weir::redisq
