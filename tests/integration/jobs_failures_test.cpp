// Jobs that fail, cannot be read or must not run, on a real server.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

#include <weir/redisq/jobs/admin.hpp>
#include <weir/redisq/jobs/queue.hpp>
#include <weir/redisq/jobs/worker.hpp>
#include <weir/runtime/sleep.hpp>

#include "support/jobs.hpp"
#include "support/redis_server.hpp"

namespace weir::redisq {
namespace {

using namespace std::chrono_literals;
using test::jobs_are_gone;
using test::quick_worker;
using test::run_with_worker;
using testing::HasSubstr;

const job_type<std::string, std::string, raw_payload> echo("echo");
const job_type<std::vector<int>, void> numbers("numbers");

class JobFailuresTest : public testing::Test {
  protected:
    void SetUp() override { WEIR_NEEDS_REDIS(); }
};

task<std::string> fails_twice(std::string text, job_context& job) {
    if (job.attempt() < 3) {
        throw std::runtime_error("not yet: " + std::to_string(job.attempt()));
    }
    co_return text + " after " + std::to_string(job.attempt());
}

handler_options at_once(std::uint32_t attempts) {
    handler_options options;
    options.retry = retry_policy::fixed(0s, attempts);
    return options;
}

std::string error_of(const exception& problem) { return problem.what(); }

// The text with which waiting for the result ends.
task<std::string> outcome(std::string url, std::string text) {
    client redis(url);
    queue q(redis);
    submit_options keep;
    keep.keep_result();
    auto job = co_await q.submit(keep, echo, text);
    std::string told;
    try {
        told = co_await job.result(20s);
    } catch (const exception& problem) {
        told = error_of(problem);
    }
    // What the job was, is told without its id.
    const std::size_t at = told.find(job.id());
    if (at != std::string::npos) {
        told.replace(at, job.id().size(), "ID");
    }
    co_await redis.close();
    co_return told;
}

task<> expect_outcome(std::string url, std::string text, std::string expected) {
    const std::string told = co_await outcome(url, text);
    EXPECT_EQ(told, expected);
}

TEST_F(JobFailuresTest, AJobThatFailsIsTriedAgain) {
    test::redis_server server;
    worker w(server.url(), quick_worker());
    w.on(echo, fails_twice, at_once(5));
    run_with_worker(w, expect_outcome(server.url(), "done", "done after 3"));
    EXPECT_EQ(w.stats().failed, 2U);
    EXPECT_EQ(server.command({"HLEN", "weir:{default}:h"}), "0");
}

TEST_F(JobFailuresTest, AJobThatFailsTooOftenIsDeadWithItsHistory) {
    test::redis_server server;
    worker w(server.url(), quick_worker());
    w.on(echo, fails_twice, at_once(2));
    run_with_worker(w, expect_outcome(server.url(), "x", "job ID is dead: not yet: 2"));
    event_loop loop;
    struct looker {
        static task<> look(std::string url) {
            client redis(url);
            queue_admin admin(redis);
            const auto dead = co_await admin.list(job_state::dead);
            EXPECT_EQ(dead.size(), 1U);
            if (dead.size() == 1) {
                EXPECT_EQ(dead[0].type, "echo");
                EXPECT_EQ(dead[0].payload, "x");
                EXPECT_THAT(dead[0].history, HasSubstr("not yet: 1\n"));
                EXPECT_THAT(dead[0].history, HasSubstr("not yet: 2\n"));
                EXPECT_TRUE(co_await admin.retry(dead[0].id));
                EXPECT_FALSE(co_await admin.retry(dead[0].id));
            }
            const queue_counts now = co_await admin.counts();
            EXPECT_EQ(now.waiting, 1U);
            EXPECT_EQ(now.dead, 0U);
            EXPECT_EQ(now.failed, 2U);
            co_await redis.close();
        }
    };
    loop.run(looker::look(server.url()));
}

task<std::string> gives_up(std::string) {
    throw give_up("no such image");
    co_return std::string();
}

TEST_F(JobFailuresTest, GivingUpSkipsTheRetries) {
    test::redis_server server;
    worker w(server.url(), quick_worker());
    w.on(echo, gives_up, at_once(100));
    run_with_worker(w, expect_outcome(server.url(), "x", "job ID is dead: no such image"));
}

task<std::string> sleeps(std::string text) {
    co_await sleep_for(20s);
    co_return text;
}

TEST_F(JobFailuresTest, ARunThatTakesTooLongIsStopped) {
    test::redis_server server;
    worker w(server.url(), quick_worker());
    handler_options options = at_once(1);
    options.timeout = 10ms;
    w.on(echo, sleeps, options);
    run_with_worker(w,
                    expect_outcome(server.url(), "x",
                                   "job ID is dead: timed out: the run took longer than it may"));
}

TEST_F(JobFailuresTest, ATypeThatNobodyKnowsIsDead) {
    test::redis_server server;
    worker w(server.url(), quick_worker());
    w.on(numbers, [](std::vector<int>) {});
    run_with_worker(
        w, expect_outcome(server.url(), "x", "job ID is dead: no handler for the type 'echo'"));
}

// Puts `entry` into lane 1 behind the worker's back, and a good job behind it.
task<> after_bad_entry(std::string url, std::vector<std::string> fields) {
    client redis(url);
    const auto added =
        co_await redis.command<std::string>("XADD", "weir:{default}:s1", "*", fields);
    EXPECT_TRUE(added);
    const std::string told = co_await outcome(url, "good");
    EXPECT_EQ(told, "good");
    co_await redis.close();
}

task<std::string> plain_echo(std::string text) { co_return text; }

std::string run_beside(test::redis_server& server, std::vector<std::string> fields,
                       std::size_t max_payload = 1 << 20) {
    std::string reports;
    worker_options options = quick_worker();
    options.max_payload = max_payload;
    options.on_report = [&reports](const std::string& text) { reports += text + "\n"; };
    worker w(server.url(), options);
    w.on(echo, plain_echo).on(numbers, [](std::vector<int>) {});
    run_with_worker(w, after_bad_entry(server.url(), std::move(fields)));
    return reports;
}

TEST_F(JobFailuresTest, ADamagedEnvelopeIsDeadAndTheOthersGoOn) {
    test::redis_server server;
    EXPECT_THAT(run_beside(server, {"j", std::string("\x01\x00", 2)}),
                HasSubstr("is dead: damaged envelope: no name of a type"));
    EXPECT_EQ(server.command({"ZCARD", "weir:{default}:dead"}), "1");
    run_beside(server, {"nonsense", "x"});
    EXPECT_EQ(server.command({"ZCARD", "weir:{default}:dead"}), "2");
}

TEST_F(JobFailuresTest, ALaterEnvelopeIsLeftAloneAndReported) {
    test::redis_server server;
    EXPECT_THAT(run_beside(server, {"j", "\x07later"}), HasSubstr("is of envelope version 7"));
    EXPECT_EQ(server.command({"XLEN", "weir:{default}:s1"}), "1");
    EXPECT_THAT(server.command({"XPENDING", "weir:{default}:s1", "w"}), HasSubstr("~v7\n1"));
    // A second worker does not touch it either.
    run_beside(server, {"nonsense", "x"});
    EXPECT_THAT(server.command({"XPENDING", "weir:{default}:s1", "w"}), HasSubstr("~v7\n1"));
}

TEST_F(JobFailuresTest, PayloadsThatAreTooLargeOrDoNotFitAreDead) {
    test::redis_server server;
    std::string bytes;
    envelope job;
    job.type = "echo";
    const std::string large(2000, 'x');
    job.payload = large;
    write_envelope(bytes, job);
    run_beside(server, {"j", bytes}, 1000);
    bytes.clear();
    job.type = "numbers";
    job.format = payload_format::json;
    job.payload = R"(["one"])";
    write_envelope(bytes, job);
    run_beside(server, {"j", bytes});
    bytes.clear();
    job.format = payload_format::messagepack;
    write_envelope(bytes, job);
    run_beside(server, {"j", bytes});
    EXPECT_EQ(server.command({"ZCARD", "weir:{default}:dead"}), "3");
    const std::string dead = server.command({"HVALS", "weir:{default}:d"});
    EXPECT_THAT(dead, HasSubstr("payload of 2000 bytes; allowed: at most 1000"));
    EXPECT_THAT(dead, HasSubstr("type must be number, but is string"));
    EXPECT_THAT(dead, HasSubstr("payload is messagepack; the handler takes json"));
}

TEST_F(JobFailuresTest, AJobWhoseWorkersDieIsQuarantined) {
    test::redis_server server;
    // A ghost that has claimed the job five times and has no lease.
    server.command({"XGROUP", "CREATE", "weir:{default}:s1", "w", "0", "MKSTREAM"});
    std::string bytes;
    envelope job;
    job.type = "echo";
    job.payload = "poison";
    write_envelope(bytes, job);
    const std::string id = server.command({"XADD", "weir:{default}:s1", "*", "j", bytes});
    server.command({"XREADGROUP", "GROUP", "w", "ghost", "STREAMS", "weir:{default}:s1", ">"});
    server.command({"XCLAIM", "weir:{default}:s1", "w", "ghost", "0", id, "RETRYCOUNT", "5"});
    worker w(server.url(), quick_worker());
    w.on(echo, plain_echo);
    run_with_worker(w, jobs_are_gone(server.url(), "default"));
    EXPECT_EQ(w.stats().dead, 1U);
    EXPECT_EQ(w.stats().done, 0U);
    EXPECT_THAT(server.command({"HVALS", "weir:{default}:d"}),
                HasSubstr("quarantined: its worker died 5 times while it ran"));
}

TEST_F(JobFailuresTest, APayloadThatIsTooLargeIsRefusedAtSubmit) {
    test::redis_server server;
    struct submitter {
        static task<> run(std::string url) {
            client redis(url);
            queue_options options;
            options.max_payload = 100;
            queue q(redis, "default", options);
            std::string told;
            try {
                const auto job = co_await q.submit(echo, std::string(200, 'x'));
            } catch (const exception& problem) {
                told = problem.what();
                EXPECT_EQ(problem.code(), job_errc::payload_too_large);
            }
            EXPECT_THAT(told, HasSubstr("job of type 'echo' for queue 'default' has"));
            co_await redis.close();
        }
    };
    event_loop loop;
    loop.run(submitter::run(server.url()));
    EXPECT_EQ(server.command({"DBSIZE"}), "0");
}

}  // namespace
}  // namespace weir::redisq
