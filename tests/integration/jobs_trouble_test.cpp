// Workers and servers in trouble: not there yet, gone, silent, poisoned jobs, replies that were
// lost; what a worker warns of, and the rights it needs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

#include <weir/redisq/jobs/admin.hpp>
#include <weir/redisq/jobs/queue.hpp>
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
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;
using names = std::vector<std::string>;

const job_type<std::string, std::string, raw_payload> echo("echo");

class JobTroubleTest : public testing::Test {
  protected:
    void SetUp() override { WEIR_NEEDS_REDIS(); }
    test::redis_server server_;
};

std::string same(std::string text) { return text; }

// ref: outlives the worker.
task<> start_when_missed(test::redis_server* server, const names* reports) {
    while (reports->empty()) {
        co_await sleep_for(1ms);
    }
    server->start();
    co_await submit_texts(server->url(), echo, 3);
    co_await jobs_are_gone(server->url(), "default");
}

TEST_F(JobTroubleTest, AServerThatIsNotThereYetIsWaitedFor) {
    server_.kill();
    names reports;
    worker_options options = quick_worker();
    options.on_report = [&reports](const std::string& text) { reports.push_back(text); };
    worker w(server_.url() + "?command_timeout=100ms", options);
    w.on(echo, same);
    run_with_worker(w, with_timeout(20s, start_when_missed(&server_, &reports)));
    EXPECT_EQ(w.stats().done, 3U);
    ASSERT_FALSE(reports.empty());
    EXPECT_THAT(reports[0], HasSubstr("queue 'default': no lease yet: "));
}

task<> pass_a_moment() { co_await sleep_for(30ms); }

TEST_F(JobTroubleTest, StoppingEndsTheWaitForAServerAtOnce) {
    server_.stop();  // accepts, and says nothing
    worker w(server_.url(), quick_worker());
    w.on(echo, same);
    event_loop loop;
    loop.run(with_timeout(2s, test::beside_worker(w, pass_a_moment())));
    EXPECT_FALSE(w.stats().has_lease);
    server_.resume();
}

struct held_jobs {
    event go;
    std::size_t begun = 0;
};

// ref: outlives the worker.
task<std::string> hold(held_jobs& held, std::string text) {
    ++held.begun;
    co_await held.go.wait();
    co_return text;
}

// ref: as above.
task<> lose_server(test::redis_server* server, held_jobs* held, std::size_t count) {
    while (held->begun < count) {
        co_await sleep_for(1ms);
    }
    server->kill();
    held->go.set();
}

TEST_F(JobTroubleTest, AWorkerThatStopsWithoutItsServerCountsWhatItCouldNotTell) {
    event_loop loop;
    loop.run(submit_texts(server_.url(), echo, 3));
    held_jobs held;
    names reports;
    worker_options options = quick_worker();
    options.lease = 100ms;
    options.on_report = [&reports](const std::string& text) { reports.push_back(text); };
    worker w(server_.url(), options);
    w.on(echo, [&held](std::string text) { return hold(held, std::move(text)); });
    run_with_worker(w, with_timeout(20s, lose_server(&server_, &held, 3)));
    EXPECT_EQ(w.stats().lost, 3U);
    EXPECT_EQ(w.stats().running, 0U);
    EXPECT_THAT(reports, testing::Contains(HasSubstr("3 jobs have ended without Redis hearing")));
}

// Takes the next job in the name of the worker that runs, behind its back, which is what a read
// whose reply is lost does.
std::string take_for(test::redis_server& server) {
    const std::string name = server.command({"ZRANGE", "weir:{default}:w", "0", "0"});
    server.command(
        {"XREADGROUP", "GROUP", "w", name, "COUNT", "1", "STREAMS", "weir:{default}:s1", ">"});
    return name;
}

// ref: outlives the worker.
task<> take_silently(test::redis_server* server, std::string deliveries) {
    client redis(server->url());
    queue_admin admin(redis);
    co_await admin.pause();
    co_await sleep_for(60ms);
    // The read that has waited since before the pause ends; there is no other.
    server->command({"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"});
    co_await sleep_for(60ms);
    co_await submit_texts(server->url(), echo, 1);
    const std::string name = take_for(*server);
    const std::string entry =
        server->command({"XRANGE", "weir:{default}:s1", "-", "+"}).substr(0, 15);
    server->command(
        {"XCLAIM", "weir:{default}:s1", "w", name, "0", entry, "RETRYCOUNT", deliveries, "JUSTID"});
    co_await jobs_are_gone(server->url(), "default");
    co_await redis.close();
}

TEST_F(JobTroubleTest, AJobWhoseReadWasLostIsFoundWithItsCrashes) {
    std::vector<std::uint32_t> crashes;
    worker_options options = quick_worker();
    options.lease = 200ms;
    worker w(server_.url(), options);
    w.on(echo, [&crashes](std::string text, job_context& job) {
        crashes.push_back(job.crashes());
        return text;
    });
    run_with_worker(w, with_timeout(20s, take_silently(&server_, "4")));
    EXPECT_THAT(crashes, ElementsAre(3U));
    run_with_worker(w, with_timeout(20s, take_silently(&server_, "6")));
    EXPECT_THAT(crashes, SizeIs(1));
    EXPECT_THAT(server_.command({"HVALS", "weir:{default}:d"}),
                HasSubstr("quarantined: its worker died 5 times while it ran"));
}

// ref: as above.
task<> search_in_vain(test::redis_server* server, worker* w) {
    client redis(server->url());
    queue_admin admin(redis);
    while (w->stats().reads == 0) {
        co_await sleep_for(1ms);
    }
    co_await admin.pause();
    co_await redis.close();
    co_await sleep_for(60ms);
    server->command({"ACL", "SETUSER", "default", "-xpending"});
    // The read that has waited since before the pause ends, and nobody knows what it brought.
    server->command({"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"});
    while (server->command({"INFO", "errorstats"}).find("NOPERM") == std::string::npos) {
        co_await sleep_for(1ms);
    }
    co_await submit_texts(server->url(), echo, 1);
    take_for(*server);
    server->command({"ACL", "SETUSER", "default", "+xpending"});
    co_await jobs_are_gone(server->url(), "default");
}

TEST_F(JobTroubleTest, ASearchThatFailedIsMadeAgain) {
    worker_options options = quick_worker();
    options.lease = std::chrono::hours(1);
    worker w(server_.url(), options);
    w.on(echo, same);
    run_with_worker(w, with_timeout(20s, search_in_vain(&server_, &w)));
    EXPECT_EQ(w.stats().done, 1U);
}

task<std::string> fail_once(std::vector<std::uint32_t>* crashes, std::uint32_t now,
                            std::string text) {
    crashes->push_back(now);
    if (crashes->size() == 1) {
        throw std::runtime_error("once more");
    }
    co_return text;
}

TEST_F(JobTroubleTest, CrashesAreCountedOverAllAttempts) {
    event_loop loop;
    loop.run(submit_texts(server_.url(), echo, 1));
    server_.command({"XGROUP", "CREATE", "weir:{default}:s1", "w", "0", "MKSTREAM"});
    server_.command({"XREADGROUP", "GROUP", "w", "ghost", "STREAMS", "weir:{default}:s1", ">"});
    const std::string entry =
        server_.command({"XRANGE", "weir:{default}:s1", "-", "+"}).substr(0, 15);
    server_.command({"XCLAIM", "weir:{default}:s1", "w", "ghost", "0", entry, "RETRYCOUNT", "3"});
    std::vector<std::uint32_t> crashes;
    worker w(server_.url(), quick_worker());
    handler_options options;
    options.retry = retry_policy::fixed(0s, 3);
    w.on(
        echo,
        [&crashes](std::string text, job_context& job) {
            return fail_once(&crashes, job.crashes(), std::move(text));
        },
        options);
    run_with_worker(w, with_timeout(20s, jobs_are_gone(server_.url(), "default")));
    EXPECT_THAT(crashes, ElementsAre(3U, 3U));
}

// ref: outlives the worker.
task<> pause_before(test::redis_server* server, worker* w) {
    while (!w->stats().has_lease) {
        co_await sleep_for(1ms);
    }
    co_await sleep_for(60ms);
    EXPECT_EQ(w->stats().claimed, 0U);
    server->command({"HDEL", "weir:{default}:m", "paused"});
    co_await jobs_are_gone(server->url(), "default");
}

TEST_F(JobTroubleTest, WhatWasHandedBackWaitsWhileItsQueueIsPaused) {
    event_loop loop;
    loop.run(submit_texts(server_.url(), echo, 5));
    server_.command({"XGROUP", "CREATE", "weir:{default}:s1", "w", "0", "MKSTREAM"});
    server_.command(
        {"XREADGROUP", "GROUP", "w", "~back", "COUNT", "5", "STREAMS", "weir:{default}:s1", ">"});
    server_.command({"HSET", "weir:{default}:m", "paused", "1"});
    worker w(server_.url(), quick_worker());
    w.on(echo, same);
    run_with_worker(w, with_timeout(20s, pause_before(&server_, &w)));
    EXPECT_EQ(w.stats().recovered, 5U);
}

// ref: as above.
task<> until_warned(const names* warnings, std::size_t count) {
    while (warnings->size() < count) {
        co_await sleep_for(1ms);
    }
}

TEST_F(JobTroubleTest, AServerThatEvictsOrForgetsIsWarnedOf) {
    server_.command({"CONFIG", "SET", "maxmemory-policy", "allkeys-lru"});
    names warnings;
    worker_options options = quick_worker();
    options.on_warning = [&warnings](const std::string& text) { warnings.push_back(text); };
    worker w(server_.url(), options);
    w.on(echo, same);
    run_with_worker(w, with_timeout(20s, until_warned(&warnings, 2)));
    EXPECT_THAT(warnings,
                ElementsAre(HasSubstr("maxmemory-policy allkeys-lru"), HasSubstr("appendonly no")));
}

// ref: as above.
task<> until_buried(test::redis_server* server, worker* w) {
    co_await submit_texts(server->url(), echo, 1);
    while (w->stats().claimed < 3) {
        co_await sleep_for(1ms);
    }
    server->command({"DEL", "weir:{default}:d"});
    co_await jobs_are_gone(server->url(), "default");
}

task<std::string> refuse_to_run(int* runs, std::string text) {
    ++*runs;
    throw give_up("no use");
    co_return text;
}

TEST_F(JobTroubleTest, ADeathThatRedisRefusesIsTriedAgainAndTheJobIsNotRun) {
    server_.command({"SET", "weir:{default}:d", "no hash"});
    int runs = 0;
    worker_options options = quick_worker();
    options.lease = 100ms;
    worker w(server_.url(), options);
    w.on(echo, [&runs](std::string text) { return refuse_to_run(&runs, std::move(text)); });
    run_with_worker(w, with_timeout(20s, until_buried(&server_, &w)));
    EXPECT_EQ(runs, 1);
    EXPECT_EQ(w.stats().dead, 1U);
    EXPECT_THAT(server_.command({"HVALS", "weir:{default}:d"}), HasSubstr("no use"));
}

// What README.md lists for workers.
constexpr const char* rights =
    "+hello +ping +client|setname +select +info +xreadgroup +xdel +xack +xclaim +xpending +evalsha "
    "+script|load +time +xgroup +xinfo +xadd +xrange +zadd +zrem +zscore +zcount +zrange "
    "+zrangebyscore +hset +hget +hdel +hlen +hgetall +hincrby +type +get +set +del +publish";

// ref: as above.
task<> run_all_kinds(test::redis_server* server, worker* w) {
    client redis(server->url());
    queue q(redis);
    submit_options kept;
    kept.keep_result().unique("one");
    const auto job = co_await q.submit(kept, echo, std::string("kept"));
    EXPECT_EQ(co_await job.result(20s), "kept");
    submit_options later;
    later.delay(1ms).keep_result();
    const auto delayed = co_await q.submit(later, echo, std::string("fails"));
    EXPECT_EQ(co_await delayed.result(20s), "fails");
    const auto hopeless = co_await q.submit(echo, std::string("gives up"));
    co_await jobs_are_gone(server->url(), "default");
    EXPECT_EQ(w->stats().dead, 1U);
    co_await redis.close();
}

task<std::string> fail_as_told(std::string text, job_context& job) {
    co_await job.progress("begun");
    if (text == "gives up") {
        throw give_up(text);
    }
    if (text == "fails" && job.attempt() == 1) {
        throw std::runtime_error(text);
    }
    co_return text;
}

TEST_F(JobTroubleTest, TheRightsOfTheReadmeAreEnough) {
    names user = {
        "ACL", "SETUSER", "runner", "on", ">secret", "~weir:{default}:*", "&weir:{default}:to:*"};
    const std::string all(rights);
    for (std::size_t at = 0; at < all.size();) {
        const std::size_t end = std::min(all.find(' ', at), all.size());
        user.push_back(all.substr(at, end - at));
        at = end + 1;
    }
    ASSERT_EQ(server_.command(user), "OK");
    names reports;
    worker_options options = quick_worker();
    options.on_report = [&reports](const std::string& text) { reports.push_back(text); };
    client_options where(server_.url());
    where.server.user = "runner";
    where.server.password = "secret";
    worker w(where, options);
    handler_options handling;
    handling.retry = retry_policy::fixed(0s, 3);
    handling.rate = 1000;
    w.on(echo, fail_as_told, handling);
    run_with_worker(w, with_timeout(20s, run_all_kinds(&server_, &w)));
    EXPECT_THAT(reports, testing::IsEmpty());
    EXPECT_THAT(server_.command({"INFO", "errorstats"}), testing::Not(HasSubstr("NOPERM")));
}

}  // namespace
}  // namespace weir::redisq
