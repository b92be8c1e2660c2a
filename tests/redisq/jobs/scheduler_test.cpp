#include <gtest/gtest.h>

#include <chrono>
#include <stdexcept>
#include <string>

#include <weir/redisq/jobs/scheduler.hpp>
#include <weir/runtime/event_loop.hpp>

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
