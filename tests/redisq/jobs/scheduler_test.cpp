#include <gtest/gtest.h>

#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

#include <weir/redisq/jobs/scheduler.hpp>
#include <weir/runtime/event_loop.hpp>
#include <weir/runtime/scope.hpp>
#include <weir/runtime/sleep.hpp>

#include "support/redis_server.hpp"

namespace weir::redisq {
namespace {

const job_type<std::string, void, raw_payload> report("report");

std::string minutes_ago(int minutes) {
    using namespace std::chrono;
    const auto now = floor<std::chrono::minutes>(system_clock::now());
    return std::to_string(duration_cast<milliseconds>(now.time_since_epoch()).count() -
                          minutes * 60'000);
}

// Looks once with each of two schedulers; yields what they enqueued in all.
task<std::size_t> look(std::string url, catch_up missed) {
    client redis(url);
    const cron_schedule every_minute("* * * * *");
    job_scheduler first(redis);
    job_scheduler second(redis);
    first.add("reports", every_minute, report, std::string("x")).with(missed);
    second.add("reports", every_minute, report, std::string("x")).with(missed);
    std::size_t count = co_await first.run_once();
    count += co_await second.run_once();
    count += co_await first.run_once();
    co_await redis.close();
    co_return count;
}

class SchedulerTest : public testing::Test {
  protected:
    void SetUp() override { WEIR_NEEDS_REDIS(); }

    // How many jobs come of a schedule whose last tick was five minutes ago.
    std::size_t after_five_minutes(catch_up missed) {
        server_.command({"FLUSHALL"});
        server_.command({"HSET", "weir:{default}:cron", "reports", minutes_ago(5)});
        event_loop loop;
        const std::size_t told = loop.run(look(server_.url(), missed));
        EXPECT_EQ(server_.command({"XLEN", "weir:{default}:s1"}), std::to_string(told));
        return told;
    }

    test::redis_server server_;
};

TEST_F(SchedulerTest, ATickIsEnqueuedOnceHoweverManySchedulersThereAre) {
    // A minute may begin while this runs.
    const std::size_t all = after_five_minutes(catch_up::all);
    EXPECT_TRUE(all == 5 || all == 6) << all;
}

TEST_F(SchedulerTest, MissedTicksBecomeOneJobOrNone) {
    const std::size_t once = after_five_minutes(catch_up::once);
    EXPECT_TRUE(once == 1 || once == 2) << once;
    EXPECT_LE(after_five_minutes(catch_up::skip), 1U);
}

using lines = std::vector<std::string>;

scheduler_options reporting_to(lines* out) {
    scheduler_options options;
    options.poll = std::chrono::milliseconds(1);
    options.on_report = [out](const std::string& text) { out->push_back(text); };
    return options;
}

// ref: outlives the loop.
task<> serve_beside_a_bad_one(test::redis_server& server, lines* told) {
    client redis(server.url());
    const cron_schedule every_minute("* * * * *");
    job_scheduler s(redis, "default", reporting_to(told));
    s.add("bad", every_minute, report, std::string("x")).with(catch_up::once, 2);
    s.add("good", every_minute, report, std::string("x")).with(catch_up::once, 1);
    EXPECT_GE(co_await s.run_once(), 1U);
    static_cast<void>(co_await s.run_once());
    EXPECT_EQ(s.stats().refused, 1U);
    EXPECT_EQ(told->size(), 1U);
    EXPECT_GE(std::stoi(server.command({"XLEN", "weir:{default}:s1"})), 1);
    server.command({"DEL", "weir:{default}:s2"});
    static_cast<void>(co_await s.run_once());
    EXPECT_EQ(s.stats().refused, 0U);
    EXPECT_GE(std::stoi(server.command({"XLEN", "weir:{default}:s2"})), 1);
    co_await redis.close();
}

TEST_F(SchedulerTest, ABadScheduleIsReportedOnceAndTheOthersGoOn) {
    server_.command({"SET", "weir:{default}:s2", "text"});
    server_.command({"HSET", "weir:{default}:cron", "bad", minutes_ago(5), "good", minutes_ago(5)});
    lines told;
    event_loop loop;
    loop.run(serve_beside_a_bad_one(server_, &told));
    ASSERT_EQ(told.size(), 2U);
    EXPECT_NE(told[0].find("schedule 'bad' cannot be served: WRONGTYPE"), std::string::npos)
        << told[0];
    EXPECT_EQ(told[1], "queue 'default': schedule 'bad' goes on");
}

TEST_F(SchedulerTest, ADamagedLastTickCountsAsNone) {
    server_.command({"HSET", "weir:{default}:cron", "reports", "nonsense"});
    event_loop loop;
    EXPECT_LE(loop.run(look(server_.url(), catch_up::all)), 1U);
    server_.command({"HSET", "weir:{default}:cron", "reports", minutes_ago(1)});
    EXPECT_GE(loop.run(look(server_.url(), catch_up::all)), 1U);
}

task<> until_cut_off(const job_scheduler* s, bool expected) {
    while (s->stats().is_cut_off != expected) {
        co_await sleep_for(std::chrono::milliseconds(1));
    }
}

// ref: outlives the loop.
task<> outlive_the_server(test::redis_server& server, lines* told) {
    client_options where(server.url());
    where.command_timeout = std::chrono::milliseconds(100);
    client redis(where);
    scheduler_options options = reporting_to(told);
    options.retry_longest = std::chrono::milliseconds(5);
    job_scheduler s(redis, "default", options);
    scope running;
    running.spawn(s.run());
    server.kill();
    co_await until_cut_off(&s, true);
    const std::uint64_t before = s.stats().failures;
    while (s.stats().failures < before + 3) {
        co_await sleep_for(std::chrono::milliseconds(1));
    }
    EXPECT_FALSE(s.stats().last_error.empty());
    server.start();
    co_await until_cut_off(&s, false);
    running.request_stop();
    co_await running.join();
    co_await redis.close();
}

TEST_F(SchedulerTest, AServerThatIsGoneIsReportedOnceAndWaitedFor) {
    lines told;
    event_loop loop;
    loop.run(outlive_the_server(server_, &told));
    EXPECT_EQ(told.size(), 2U);
    EXPECT_EQ(told.empty() ? "" : told.back(), "queue 'default': goes on");
}

TEST_F(SchedulerTest, BadNamesAndLanesAreRefused) {
    struct refuser {
        static task<> run(std::string url) {
            client redis(url);
            job_scheduler s(redis);
            const cron_schedule daily("@daily");
            EXPECT_THROW(s.with(catch_up::all), std::invalid_argument);
            EXPECT_THROW(s.add("", daily, report, std::string()), std::invalid_argument);
            s.add("a", daily, report, std::string());
            EXPECT_THROW(s.add("a", daily, report, std::string()), std::invalid_argument);
            EXPECT_THROW(s.with(catch_up::all, 4), std::invalid_argument);
            co_await redis.close();
        }
    };
    event_loop loop;
    loop.run(refuser::run(server_.url()));
}

}  // namespace
}  // namespace weir::redisq
