// The values of options.hpp.
#include <weir/pool/options.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <type_traits>

namespace weir {
namespace {

using namespace std::chrono_literals;

TEST(PoolOptionsTest, DefaultsAreAHundredJobsAndAQueueOfAThousand) {
    const pool_options options;
    EXPECT_EQ(options.max_concurrency, 100U);
    EXPECT_EQ(options.max_queue_size, 1000U);
    EXPECT_STREQ(options.name, "pool");
    EXPECT_EQ(options.on_error, nullptr);
}

TEST(PoolOptionsTest, BracedOptionsMayStandInAnAwaitedCall) {
    // Such a temporary may be destroyed twice, which must not matter.
    EXPECT_TRUE(std::is_trivially_destructible_v<pool_options>);
    EXPECT_TRUE(std::is_trivially_destructible_v<submit_options>);
    EXPECT_FALSE(std::is_aggregate_v<submit_options>);
}

TEST(SubmitOptionsTest, DefaultsAreANameAndNoDeadline) {
    const submit_options options;
    EXPECT_STREQ(options.name(), "job");
    EXPECT_FALSE(options.has_deadlines());
    EXPECT_EQ(options.admit(), duration::max());
    EXPECT_EQ(options.start(), duration::max());
    EXPECT_EQ(options.finish(), duration::max());
}

TEST(SubmitOptionsTest, EachDeadlineIsKept) {
    submit_options options;
    options.named("fetch").admit_within(1s).start_within(2ms).finish_within(3ns);
    EXPECT_STREQ(options.name(), "fetch");
    EXPECT_TRUE(options.has_deadlines());
    EXPECT_EQ(options.admit(), 1s);
    EXPECT_EQ(options.start(), 2ms);
    EXPECT_EQ(options.finish(), 3ns);
}

TEST(SubmitOptionsTest, OneDeadlineIsEnough) {
    submit_options admit;
    admit.admit_within(0s);
    EXPECT_TRUE(admit.has_deadlines());
    submit_options start;
    start.start_within(-1s);
    EXPECT_TRUE(start.has_deadlines());
    submit_options finish;
    finish.finish_within(1h);
    EXPECT_TRUE(finish.has_deadlines());
}

TEST(PoolStatsTest, StartAtZero) {
    const pool_stats stats;
    EXPECT_EQ(stats.submitted + stats.completed + stats.running + stats.queued, 0U);
}

TEST(DrainReportTest, SaysNotDrainedUntilItIs) {
    const drain_report report;
    EXPECT_FALSE(report.drained);
    EXPECT_TRUE(report.unstarted.empty());
}

}  // namespace
}  // namespace weir
