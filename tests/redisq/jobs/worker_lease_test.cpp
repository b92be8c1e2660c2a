// A worker's lease on a server that says what the test wants.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <string>

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

const job_type<std::string, std::string, raw_payload> echo("echo");

std::string same(std::string text) { return text; }

// Whose own calls may take for ever.
client_options patient(const fake_jobs& redis) {
    client_options options = redis.options();
    options.command_timeout = 1h;
    return options;
}

// ref: outlives the worker.
task<> lose_and_join(fake_jobs* redis, worker* w) {
    while (w->stats().leases_lost == 0) {
        co_await sleep_for(1ms);
    }
    const int before = redis->server().accepted;
    redis->forget_and_speak();
    while (redis->count("join") < 2 || !w->stats().has_lease) {
        co_await sleep_for(1ms);
    }
    EXPECT_GT(redis->server().accepted, before);
}

class LeaseTest : public testing::TestWithParam<const char*> {};

TEST_P(LeaseTest, EndsInTimeWhateverIsNotAnswered) {
    fake_jobs redis;
    redis.says[GetParam()] = [&redis](const words&) {
        redis.says.clear();
        return redis.fall_silent();
    };
    worker_options options = quick_worker();
    options.lease = 200ms;
    worker w(patient(redis), options);
    w.on(echo, same);
    redis.run_with(w, with_timeout(10s, lose_and_join(&redis, &w)));
    EXPECT_EQ(w.stats().leases_lost, 1U);
}

INSTANTIATE_TEST_SUITE_P(Calls, LeaseTest, testing::Values("beat", "reap", "promote", "XPENDING"));

TEST(LeaseTeachingTest, ALeaseEndsInTimeWhileItsScriptsAreTaught) {
    fake_jobs redis;
    redis.says["beat"] = [&redis](const words&) {
        redis.says.clear();
        redis.server().hold(true);
        return "-NOSCRIPT No matching script.\r\n";
    };
    worker_options options = quick_worker();
    options.lease = 200ms;
    worker w(patient(redis), options);
    w.on(echo, same);
    redis.run_with(w, with_timeout(10s, lose_and_join(&redis, &w)));
    EXPECT_EQ(w.stats().leases_lost, 1U);
}

// A page of the search for lost jobs that is full, so that there may be more.
std::string full_page(std::size_t* next) {
    std::string page = "*256\r\n";
    for (int i = 0; i < 256; ++i) {
        page += test::array_of(
            {test::bulk(std::to_string(++*next) + "-0"), test::bulk("me"), ":9\r\n", ":1\r\n"});
    }
    return page;
}

// ref: outlives the worker.
task<> until_beaten_in_a_search(fake_jobs* redis) {
    while (redis->count("XPENDING") == 0) {
        co_await sleep_for(1ms);
    }
    const std::size_t before = redis->count("beat");
    while (redis->count("beat") < before + 3) {
        co_await sleep_for(1ms);
    }
}

TEST(LeaseSearchTest, ALongSearchGivesWayToHeartbeatsAndGoesOnWhereItWas) {
    fake_jobs redis;
    std::size_t next = 0;
    redis.says["XPENDING"] = [&next](const words&) { return full_page(&next); };
    worker_options options = quick_worker();
    options.lease = 500ms;
    worker w(redis.options(), options);
    w.on(echo, same);
    redis.run_with(w, with_timeout(10s, until_beaten_in_a_search(&redis)));
    EXPECT_EQ(std::ranges::count_if(redis.server().log,
                                    [](const words& command) {
                                        return command.at(0) == "XPENDING" && command.at(5) == "-";
                                    }),
              1);
}

}  // namespace
}  // namespace weir::redisq
