// How a worker of several queues begins and ends, on a server that says what the test wants.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include <weir/redisq/jobs/envelope.hpp>
#include <weir/redisq/jobs/worker.hpp>
#include <weir/runtime/sleep.hpp>
#include <weir/runtime/with_timeout.hpp>

#include "support/fake_jobs.hpp"
#include "support/jobs.hpp"

namespace weir::redisq {
namespace {

using namespace std::chrono_literals;
using test::fake_jobs;
using test::quick_worker;
using test::words;
using testing::HasSubstr;

const job_type<std::string, std::string, raw_payload> echo("echo");

std::string same(std::string text) { return text; }

class SeveralQueuesTest : public testing::Test {
  protected:
    // One that asks for "away" first.
    worker& prepare(worker& w) {
        w.serve("away").serve("here");
        w.on(echo, same);
        return w;
    }
    // Nobody gets a lease of "away".
    void refuse_join(std::string why) {
        redis_.says["join"] = [why](const words& command) {
            return fake_jobs::names_queue(command, "away") ? "-" + why + "\r\n"
                                                           : test::array_of({test::bulk("1000")});
        };
    }
    fake_jobs redis_;
};

// ref: outlives the worker, as below.
task<> until_heard_of(fake_jobs* redis, std::string queue) {
    while (redis->count("beat", queue) == 0) {
        co_await sleep_for(1ms);
    }
}

// ref: as above.
task<> serve_one_and_both(fake_jobs* redis) {
    co_await until_heard_of(redis, "here");
    EXPECT_NE(redis->count("join", "away"), 0U);
    redis->says.clear();
    co_await until_heard_of(redis, "away");
}

TEST_F(SeveralQueuesTest, OneWhoseNodeIsAwayKeepsNoOtherWaiting) {
    refuse_join("CLUSTERDOWN The cluster is down");
    worker w(redis_.options(), quick_worker());
    redis_.run_with(prepare(w), with_timeout(10s, serve_one_and_both(&redis_)));
    EXPECT_EQ(w.stats().leases_lost, 0U);
}

TEST_F(SeveralQueuesTest, OneThatIsRefusedForGoodIsAnErrorAtOnce) {
    refuse_join("NOPERM No permissions to access a key");
    worker w(redis_.options(), quick_worker());
    std::string told;
    try {
        redis_.run_with(prepare(w), with_timeout(10s, until_heard_of(&redis_, "away")));
    } catch (const exception& problem) {
        told = problem.what();
    }
    EXPECT_THAT(told, HasSubstr("NOPERM"));
}

// ref: as above.
task<> until_both_and_busy(fake_jobs* redis, const bool* was_busy) {
    co_await until_heard_of(redis, "here");
    co_await until_heard_of(redis, "away");
    while (!*was_busy) {
        co_await sleep_for(1ms);
    }
}

TEST_F(SeveralQueuesTest, OneThatCannotTellItsEndsKeepsNoOtherFromHandingBack) {
    bool was_busy = false;
    redis_.says["XDEL"] = [&was_busy](const words&) {
        was_busy = true;
        return std::string("-BUSY Redis is busy\r\n");
    };
    std::string job;
    envelope head;
    head.type = "echo";
    write_envelope(job, head);
    redis_.deliver("weir:{away}:s1", "1-0", job);
    worker_options options = quick_worker();
    options.lease = 200ms;
    worker w(redis_.options(), options);
    redis_.run_with(prepare(w), with_timeout(10s, until_both_and_busy(&redis_, &was_busy)));
    EXPECT_EQ(redis_.count("leave", "away"), 0U);
    EXPECT_EQ(redis_.count("leave", "here"), 1U);
}

}  // namespace
}  // namespace weir::redisq
