#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>
#include <weir/redisq/jobs/cron.hpp>

namespace weir::redisq {
namespace {

// Seconds since 1970 of a time in UTC.
std::int64_t utc(int year, unsigned month, unsigned day, int hour = 0, int minute = 0) {
    using namespace std::chrono;
    const sys_days date =
        std::chrono::year(year) / std::chrono::month(month) / std::chrono::day(day);
    return date.time_since_epoch().count() * std::int64_t{86'400} + hour * 3600 + minute * 60;
}

std::vector<std::int64_t> ticks(const cron_schedule& schedule, std::int64_t after, int count) {
    std::vector<std::int64_t> found;
    for (int i = 0; i < count; ++i) {
        after = schedule.next(after).value();
        found.push_back(after);
    }
    return found;
}

std::string refusal(const char* text) {
    try {
        const cron_schedule made(text);
    } catch (const std::invalid_argument& problem) {
        return problem.what();
    }
    return "sound";
}

TEST(CronTest, FieldsTakeNumbersRangesStepsAndLists) {
    EXPECT_EQ(cron_schedule("* * * * *").next(utc(2026, 1, 1)), utc(2026, 1, 1, 0, 1));
    EXPECT_EQ(cron_schedule("*/15 * * * *").next(utc(2026, 1, 1, 0, 15)), utc(2026, 1, 1, 0, 30));
    EXPECT_EQ(
        ticks(cron_schedule("10-50/20 8,17 * * *"), utc(2026, 1, 1, 8, 10), 3),
        (std::vector{utc(2026, 1, 1, 8, 30), utc(2026, 1, 1, 8, 50), utc(2026, 1, 1, 17, 10)}));
    EXPECT_EQ(cron_schedule("0 0 * JAN,mar *").next(utc(2026, 1, 31)), utc(2026, 3, 1));
    EXPECT_EQ(cron_schedule("@daily").next(utc(2026, 1, 1)), utc(2026, 1, 2));
    EXPECT_EQ(cron_schedule("59 23 31 12 *").next(utc(2026, 12, 31, 23, 59)),
              utc(2027, 12, 31, 23, 59));
}

TEST(CronTest, EitherDayWillDoWhereBothAreGiven) {
    // 1 January 2026 was a Thursday.
    EXPECT_EQ(ticks(cron_schedule("0 0 13 * fri"), utc(2026, 1, 8), 3),
              (std::vector{utc(2026, 1, 9), utc(2026, 1, 13), utc(2026, 1, 16)}));
    EXPECT_EQ(cron_schedule("0 0 * * 7").next(utc(2026, 1, 1)), utc(2026, 1, 4));
    EXPECT_EQ(cron_schedule("0 0 * * sun").next(utc(2026, 1, 1)), utc(2026, 1, 4));
}

TEST(CronTest, ALeapDayIsWaitedFor) {
    EXPECT_EQ(cron_schedule("0 0 29 2 *").next(utc(2096, 3, 1)), utc(2104, 2, 29));
}

TEST(CronTest, LocalTimesThatTheClocksLeaveOutComeLater) {
    // In Berlin, 2:00 became 3:00 on 29 March 2026 at 1:00 UTC.
    const cron_schedule schedule("30 2 * * *", "Europe/Berlin");
    EXPECT_EQ(
        ticks(schedule, utc(2026, 3, 28), 3),
        (std::vector{utc(2026, 3, 28, 1, 30), utc(2026, 3, 29, 1, 30), utc(2026, 3, 30, 0, 30)}));
}

TEST(CronTest, LocalTimesThatComeTwiceCountOnce) {
    // And 3:00 became 2:00 on 25 October 2026 at 1:00 UTC.
    const cron_schedule schedule("30 2 * * *", "Europe/Berlin");
    EXPECT_EQ(ticks(schedule, utc(2026, 10, 24), 3),
              (std::vector{utc(2026, 10, 24, 0, 30), utc(2026, 10, 25, 0, 30),
                           utc(2026, 10, 26, 1, 30)}));
}

TEST(CronTest, EveryHourFollowsRealTime) {
    const cron_schedule schedule("*/30 * * * *", "Europe/Berlin");
    for (const std::int64_t start : {utc(2026, 3, 29), utc(2026, 10, 25)}) {
        EXPECT_EQ(ticks(schedule, start, 4),
                  (std::vector{start + 1800, start + 3600, start + 5400, start + 7200}));
    }
}

TEST(CronTest, ARefusalNamesFieldTextAndRange) {
    EXPECT_EQ(refusal("61 * * * *"),
              "cron schedule: minute is '61'; allowed: *, 0 to 59, ranges a-b, steps /n and lists");
    EXPECT_THAT(refusal("* * * foo *"), testing::HasSubstr("month is 'foo'; allowed: *, 1 to 12, "
                                                           "jan to dec"));
    EXPECT_THAT(refusal("* * * *"), testing::HasSubstr("has 4 fields"));
    EXPECT_THAT(refusal("0 0 30 2 *"), testing::HasSubstr("never comes"));
    for (const char* bad : {"", "*/0 * * * *", "5-1 * * * *", "1, * * * *", "-1 * * * *",
                            "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8", "@never",
                            "1/ * * * *", "1-2-3 * * * *", "99999999999999999999 * * * *"}) {
        EXPECT_NE(refusal(bad), "sound") << bad;
    }
    EXPECT_THROW(cron_schedule("* * * * *", "Mars/Olympus"), std::invalid_argument);
}

}  // namespace
}  // namespace weir::redisq
